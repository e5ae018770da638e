package label

import (
	"context"
	"strings"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// DeleteTagsRequest takes tags from resources.
type DeleteTagsRequest struct {
	IDs  []string          `json:"resourceids" required:"true" doc:"the resources"`
	Type string            `json:"resourcetype" required:"true" doc:"the type of the resources, such as UserVm"`
	Tags map[string]string `json:"tags" doc:"the keys to delete, those with a value only where it is that; all tags without"`
}

func (s *Service) deleteTagsCommand() *command.Command {
	return command.Async[DeleteTagsRequest, command.Success](command.Meta{
		Name: "deleteTags", Event: "DELETE_TAGS", Roles: command.Everyone, Doc: "Takes tags from resources: from all or from none",
	}, s.deleteTags, nil)
}

func (s *Service) deleteTags(ctx context.Context, r DeleteTagsRequest) (job.Spec, error) {
	k, list, err := s.taggable(ctx, r.Type, r.IDs)
	if err != nil {
		return job.Spec{}, err
	}
	n := 0
	for _, f := range list {
		gone, err := s.untag(ctx, f, r.Tags)
		if err != nil {
			return job.Spec{}, err
		}
		n += gone
	}
	if n == 0 && len(r.Tags) > 0 {
		return job.Spec{}, fault.Param("tags", "error.tag_none")
	}
	return done(k, list[0]), nil
}

func (s *Service) untag(ctx context.Context, f Found, which map[string]string) (int, error) {
	tags, err := s.tagsOf(ctx, f.ID)
	if err != nil {
		return 0, err
	}
	var ids []string
	for _, t := range tags {
		if matches(t, which) {
			ids = append(ids, t.ID)
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	// The resource is the actor's, so its tags are, whoever put them there.
	sys := store.System(ctx, "tags of a resource that was found")
	return len(ids), s.db.In(sys).Where("id IN ?", ids).Delete(&Tag{}).Error
}

func matches(t Tag, which map[string]string) bool {
	for key, value := range which {
		if strings.EqualFold(key, t.Key) && (value == "" || value == t.Value) {
			return true
		}
	}
	return len(which) == 0
}
