package portal

// areas are all pages, in the order of the navigation within each group.
func areas() []area {
	return []area{
		dashboards(),
		instances(),
		instanceGroups(), keyPairs(), userData(), affinityGroups(), volumes(), networks(), templates(),
		projects(),
		jobs(),
		events(), alerts(), savedViews(), webhooks(),
		domains(), accounts(), users(), roles(), signOns(),
		zones(), hosts(), pools(), routers(),
		offerings(), settings(),
	}
}
