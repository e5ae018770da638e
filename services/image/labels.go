package image

import (
	"context"
	"encoding/json"

	"aerie/services/label"
	"aerie/services/store"
)

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "Template", Entity: "TEMPLATE", Can: label.Tags | label.Details | label.Icons, Model: &Template{}, Column: "name",
		Find: label.Owned(s.db, func(t Template) string { return t.Name }),
		Own:  &label.OwnDetails{Read: s.details, Write: s.setDetails},
	})
}

func (s *Service) details(ctx context.Context, id string) (map[string]string, error) {
	t, err := store.Find[Template](ctx, s.db, id)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	err = json.Unmarshal([]byte(t.Details), &out)
	return out, err
}

func (s *Service) setDetails(ctx context.Context, id string, details map[string]string) error {
	b, err := json.Marshal(details)
	if err != nil {
		return err
	}
	return s.db.In(ctx).Model(&Template{}).Where("id = ?", id).Update("details", string(b)).Error
}
