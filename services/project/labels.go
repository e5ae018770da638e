package project

import (
	"aerie/services/iam"
	"aerie/services/label"
)

// Kinds tell label what here carries labels: CloudStack has no comments on
// projects.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "Project", Can: label.Tags | label.Icons, Model: &iam.Project{}, Column: "name",
		Find: label.Owned(s.db, func(p iam.Project) string { return p.Name }),
	})
}
