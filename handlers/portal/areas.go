package portal

// areas are all pages, in the order of the navigation within each group.
func areas() []area {
	return []area{
		dashboards(),
		instances(),
		keyPairs(), volumes(), networks(), templates(),
		projects(),
		jobs(),
		events(), alerts(),
		domains(), accounts(), users(),
		zones(), hosts(), pools(), routers(),
		offerings(), settings(),
	}
}
