package label

import (
	"context"
	"maps"
	"slices"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// DetailView is a detail as commands return it.
type DetailView struct {
	Key        string `json:"key" doc:"the key"`
	Value      string `json:"value" doc:"the value"`
	Type       string `json:"resourcetype" doc:"the type of the resource"`
	ResourceID string `json:"resourceid" doc:"the resource"`
	Customer   string `json:"customer" doc:"always empty: details have no customer"`
	iam.Belongs
}

// ListDetailsRequest asks for details of resources.
type ListDetailsRequest struct {
	command.Paging
	command.Scope
	Type       string `json:"resourcetype" required:"true" doc:"the type of the resources, such as Volume"`
	ResourceID string `json:"resourceid" doc:"the resource; needed for types that keep details themselves"`
	Key        string `json:"key" doc:"the key"`
	Value      string `json:"value" doc:"the value"`
	Display    *bool  `json:"fordisplay" doc:"details that are shown, or those hidden from users; administrators only"`
}

func (s *Service) listDetailsCommand() *command.Command {
	return command.New(command.Meta{Name: "listResourceDetails", Object: "resourcedetail", Roles: command.Everyone, Doc: "Lists details of resources"}, s.ListDetails)
}

// ListDetails returns a page of details.
func (s *Service) ListDetails(ctx context.Context, r ListDetailsRequest) (out command.List[DetailView], err error) {
	k, err := s.kind("resourcetype", r.Type, Details)
	if err != nil {
		return out, err
	}
	if k.Own != nil {
		return s.listOwn(ctx, k, r)
	}
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&Detail{}), r.ResourceID)
	if err != nil {
		return out, err
	}
	q = command.Equal(command.Equal(q, "kind", k.Name), "resource_id", r.ResourceID)
	q = command.Named(command.Named(q, "detail_key", r.Key), "detail_value", r.Value)
	if actor, _ := store.From(ctx); actor.Rank == store.User && !actor.IsSystem() {
		q = q.Where("display = ?", true)
	}
	if r.Display != nil {
		q = q.Where("display = ?", *r.Display)
	}
	rows, n, err := command.Rows[Detail](r.Search(q, "detail_key", "detail_value"), r.Paging, "detail_key, id")
	if err != nil {
		return out, err
	}
	var of []store.Owner
	for _, d := range rows {
		of = append(of, d.Owner())
	}
	whose, err := iam.Whose(ctx, s.db, of)
	if err != nil {
		return out, err
	}
	return command.ListOf(rows, n, func(d Detail) DetailView {
		return DetailView{Key: d.Key, Value: d.Value, Type: d.Kind, ResourceID: d.ResourceID, Belongs: whose(d.Owner())}
	}), nil
}

// listOwn lists details that are a part of the resource's row.
func (s *Service) listOwn(ctx context.Context, k Kind, r ListDetailsRequest) (out command.List[DetailView], err error) {
	if r.ResourceID == "" {
		return out, fault.Param("resourceid", "error.detail_resource", "type", k.Name)
	}
	f, err := s.find(ctx, k, "resourceid", r.ResourceID)
	if err != nil || r.Display != nil && !*r.Display {
		return out, err
	}
	all, err := k.Own.Read(ctx, f.ID)
	if err != nil {
		return out, err
	}
	whose, err := iam.Whose(ctx, s.db, []store.Owner{f.Owner})
	if err != nil {
		return out, err
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if r.wants(key, all[key]) {
			out.Items = append(out.Items, DetailView{Key: key, Value: all[key], Type: k.Name, ResourceID: f.ID, Belongs: whose(f.Owner)})
		}
	}
	out.Count = len(out.Items)
	from := min(r.Offset(), out.Count)
	to := out.Count
	if n := r.Limit(); n >= 0 {
		to = min(from+n, to)
	}
	out.Items = out.Items[from:to]
	return out, nil
}

func (r ListDetailsRequest) wants(key, value string) bool {
	held := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(r.Keyword)) }
	return (r.Key == "" || strings.EqualFold(r.Key, key)) && (r.Value == "" || strings.EqualFold(r.Value, value)) && (held(key) || held(value))
}
