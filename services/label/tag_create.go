package label

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// CreateTagsRequest puts tags on resources.
type CreateTagsRequest struct {
	IDs      []string          `json:"resourceids" required:"true" doc:"the resources"`
	Type     string            `json:"resourcetype" required:"true" doc:"the type of the resources, such as UserVm"`
	Tags     map[string]string `json:"tags" required:"true" doc:"keys and values"`
	Customer string            `json:"customer" doc:"a further word on whose the tags are, to find them by"`
}

const (
	longest  = 255 // of a key and of a value
	mostTags = 100 // of a resource
)

func (s *Service) createTagsCommand() *command.Command {
	return command.Async[CreateTagsRequest, command.Success](command.Meta{
		Name: "createTags", Event: "CREATE_TAGS", Roles: command.Everyone, Doc: "Puts tags on resources: on all or on none",
	}, s.createTags, nil)
}

func (s *Service) createTags(ctx context.Context, r CreateTagsRequest) (job.Spec, error) {
	k, list, err := s.taggable(ctx, r.Type, r.IDs)
	if err != nil {
		return job.Spec{}, err
	}
	if err := checkTags(r.Tags); err != nil {
		return job.Spec{}, err
	}
	for _, f := range list {
		if err := s.tag(ctx, k, f, r); err != nil {
			return job.Spec{}, err
		}
	}
	return done(k, list[0]), nil
}

func (s *Service) taggable(ctx context.Context, kind string, ids []string) (Kind, []Found, error) {
	k, err := s.kind("resourcetype", kind, Tags)
	if err != nil {
		return k, nil, err
	}
	list, err := s.all(ctx, k, ids)
	about(ctx, k, list...)
	return k, list, err
}

func checkTags(tags map[string]string) error {
	seen := map[string]bool{}
	for key, value := range tags {
		switch folded := fold(key); {
		case strings.TrimSpace(key) == "":
			return fault.Param("tags", "error.tag_key")
		case strings.TrimSpace(value) == "":
			return fault.Param("tags", "error.tag_value", "key", key)
		case tooLong(key), tooLong(value):
			return fault.Param("tags", "error.too_long", "max", longest)
		case seen[folded]:
			return fault.Param("tags", "error.tag_twice", "key", key)
		default:
			seen[folded] = true
		}
	}
	return nil
}

func tooLong(s string) bool { return len([]rune(s)) > longest }

// tag puts the tags on one resource. A key that differs only in case is the
// same key, on every database.
func (s *Service) tag(ctx context.Context, k Kind, f Found, r CreateTagsRequest) error {
	old, err := s.tagsOf(ctx, f.ID)
	if err != nil {
		return err
	}
	if len(old)+len(r.Tags) > mostTags {
		return fault.New(fault.Limit, "error.tags_full", "name", f.Name, "max", mostTags)
	}
	for _, t := range old {
		for key := range r.Tags {
			if strings.EqualFold(key, t.Key) {
				return taken(key, f)
			}
		}
	}
	ctx, err = store.For(ctx, f.Owner)
	if err != nil {
		return err
	}
	for key, value := range r.Tags {
		t := Tag{ID: s.db.NewID(), CreatedAt: s.db.Now(), Kind: k.Name, ResourceID: f.ID, Key: key, Value: value, KeyFold: fold(key), ValueFold: fold(value), Customer: r.Customer}
		err := gorm.G[Tag](s.db.In(ctx)).Create(ctx, &t)
		if store.IsDuplicate(err) {
			return taken(key, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func taken(key string, f Found) error {
	return fault.New(fault.Conflict, "error.tag_taken", "key", key, "name", f.Name, "id", f.ID)
}

// tagsOf are all tags of a resource that the actor was found to own.
func (s *Service) tagsOf(ctx context.Context, id string) ([]Tag, error) {
	return gorm.G[Tag](s.db.In(ctx)).Where("resource_id = ?", id).Find(ctx)
}
