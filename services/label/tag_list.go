package label

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/store"
)

// TagView is a tag as commands return it, alone and in views of resources.
type TagView struct {
	Key        string `json:"key" doc:"the key"`
	Value      string `json:"value" doc:"the value"`
	Type       string `json:"resourcetype" doc:"the type of the resource"`
	ResourceID string `json:"resourceid" doc:"the resource"`
	Customer   string `json:"customer" doc:"a further word on whose the tag is"`
	iam.Belongs
}

// ListTagsRequest asks for tags.
type ListTagsRequest struct {
	command.Paging
	command.Scope
	Key        string `json:"key" doc:"the key"`
	Value      string `json:"value" doc:"the value"`
	ResourceID string `json:"resourceid" doc:"tags of the resource"`
	Type       string `json:"resourcetype" doc:"tags of resources of the type"`
	Customer   string `json:"customer" doc:"tags with the customer"`
}

func (s *Service) listTagsCommand() *command.Command {
	return command.New(command.Meta{Name: "listTags", Object: "tag", Roles: command.Everyone, Doc: "Lists tags"}, s.ListTags)
}

// ListTags returns a page of tags.
func (s *Service) ListTags(ctx context.Context, r ListTagsRequest) (out command.List[TagView], err error) {
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&Tag{}), r.ResourceID)
	if err != nil {
		return out, err
	}
	if q, err = s.ofKind(q, r.Type, Tags); err != nil {
		return out, err
	}
	q = command.Equal(command.Equal(q, "resource_id", r.ResourceID), "customer", r.Customer)
	q = folded(folded(q, "key_fold", r.Key), "value_fold", r.Value)
	rows, n, err := command.Rows[Tag](r.Search(q, "tag_key", "tag_value"), r.Paging, "tag_key, id")
	if err != nil {
		return out, err
	}
	views, err := tagViews(ctx, s.db, rows)
	return command.List[TagView]{Count: n, Items: views}, err
}

// ofKind narrows q to labels of a kind, if one is asked for.
func (s *Service) ofKind(q *gorm.DB, kind string, can Ability) (*gorm.DB, error) {
	if kind == "" {
		return q, nil
	}
	k, err := s.kind("resourcetype", kind, can)
	return command.Equal(q, "kind", k.Name), err
}

func tagViews(ctx context.Context, db *store.DB, rows []Tag) ([]TagView, error) {
	var of []store.Owner
	for _, t := range rows {
		of = append(of, t.Owner())
	}
	whose, err := iam.Whose(ctx, db, of)
	if err != nil {
		return nil, err
	}
	out := make([]TagView, len(rows))
	for i, t := range rows {
		out[i] = TagView{Key: t.Key, Value: t.Value, Type: t.Kind, ResourceID: t.ResourceID, Customer: t.Customer, Belongs: whose(t.Owner())}
	}
	return out, nil
}
