package label

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// RemoveDetailRequest takes details from a resource.
type RemoveDetailRequest struct {
	ID   string `json:"resourceid" required:"true" doc:"the resource"`
	Type string `json:"resourcetype" required:"true" doc:"the type of the resource, such as Volume"`
	Key  string `json:"key" doc:"the detail; all without"`
}

func (s *Service) removeDetailCommand() *command.Command {
	return command.Async[RemoveDetailRequest, command.Success](command.Meta{
		Name: "removeResourceDetail", Event: "DELETE_RESOURCE_DETAILS", Roles: command.Admins, Doc: "Takes a detail from a resource, or all",
	}, s.removeDetail, nil)
}

func (s *Service) removeDetail(ctx context.Context, r RemoveDetailRequest) (job.Spec, error) {
	k, f, err := s.detailed(ctx, r.Type, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if k.Own != nil {
		return done(k, f), s.unsetOwn(ctx, k, f, r.Key)
	}
	q := s.db.In(store.System(ctx, "details of a resource that was found")).Where("resource_id = ?", f.ID)
	if r.Key != "" {
		q = q.Where("detail_key = ?", r.Key)
	}
	gone := q.Delete(&Detail{})
	if gone.Error == nil && gone.RowsAffected == 0 && r.Key != "" {
		return job.Spec{}, fault.Param("key", "error.detail_none", "value", r.Key)
	}
	return done(k, f), gone.Error
}

func (s *Service) unsetOwn(ctx context.Context, k Kind, f Found, key string) error {
	all, err := k.Own.Read(ctx, f.ID)
	if err != nil {
		return err
	}
	if _, there := all[key]; key != "" && !there {
		return fault.Param("key", "error.detail_none", "value", key)
	}
	delete(all, key)
	if key == "" {
		all = map[string]string{}
	}
	return k.Own.Write(ctx, f.ID, all)
}
