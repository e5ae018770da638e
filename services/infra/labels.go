package infra

import "aerie/services/label"

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "Zone", Entity: "ZONE", Can: label.Tags | label.Details | label.Icons, Model: &Zone{}, Column: "name",
		Find: label.Operators(s.db, func(z Zone) string { return z.Name }),
	})
	l.Kind(label.Kind{
		Name: "Pod", Entity: "POD", Model: &Pod{}, Column: "name", Find: label.Operators(s.db, func(p Pod) string { return p.Name }),
	})
	l.Kind(label.Kind{
		Name: "Cluster", Entity: "CLUSTER", Can: label.Details, Model: &Cluster{}, Column: "name",
		Find: label.Operators(s.db, func(c Cluster) string { return c.Name }),
	})
	l.Kind(label.Kind{
		Name: "Host", Entity: "HOST", Can: label.Details, Model: &Host{}, Column: "name", Find: label.Operators(s.db, func(h Host) string { return h.Name }),
	})
	l.Kind(label.Kind{
		Name: "Storage", Entity: "PRIMARY_STORAGE", Can: label.Details, Model: &Pool{}, Column: "name",
		Find: label.Operators(s.db, func(p Pool) string { return p.Name }),
	})
	l.Kind(label.Kind{
		Name: "ImageStore", Entity: "SECONDARY_STORAGE", Model: &ImageStore{}, Column: "name",
		Find: label.Operators(s.db, func(i ImageStore) string { return i.Name }),
	})
}
