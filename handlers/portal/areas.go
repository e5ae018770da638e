package portal

// areas are all pages, in the order of the navigation within each group.
func areas() []area {
	return []area{
		dashboards(),
		instances(),
		jobs(),
		events(),
	}
}
