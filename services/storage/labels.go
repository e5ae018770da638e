package storage

import "aerie/services/label"

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "Volume", Entity: "VOLUME", Can: label.Tags | label.Details, Model: &Volume{}, Column: "name",
		Find: label.Owned(s.db, func(v Volume) string { return v.Name }),
	})
	l.Kind(label.Kind{
		Name: "DiskOffering", Entity: "DISK_OFFERING", Can: label.Details, Model: &Offering{}, Column: "name",
		Find: label.Operators(s.db, func(o Offering) string { return o.Name }),
	})
}
