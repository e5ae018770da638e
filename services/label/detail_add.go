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

// AddDetailRequest sets details of a resource.
type AddDetailRequest struct {
	Details map[string]string `json:"details" required:"true" doc:"keys and values; a key that is there gets the new value"`
	ID      string            `json:"resourceid" required:"true" doc:"the resource"`
	Type    string            `json:"resourcetype" required:"true" doc:"the type of the resource, such as Volume"`
	Display *bool             `json:"fordisplay" doc:"false hides the details from all but administrators"`
}

const longestDetail = 4096

func (s *Service) addDetailCommand() *command.Command {
	return command.Async[AddDetailRequest, command.Success](command.Meta{
		Name: "addResourceDetail", Event: "CREATE_RESOURCE_DETAILS", Roles: command.Admins, Doc: "Sets details of a resource",
	}, s.addDetail, nil)
}

func (s *Service) addDetail(ctx context.Context, r AddDetailRequest) (job.Spec, error) {
	k, f, err := s.detailed(ctx, r.Type, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	for key, value := range r.Details {
		switch {
		case strings.TrimSpace(key) == "":
			return job.Spec{}, fault.Param("details", "error.tag_key")
		case tooLong(key) || len(value) > longestDetail:
			return job.Spec{}, fault.Param("details", "error.too_long", "max", longestDetail)
		}
	}
	if k.Own != nil {
		return done(k, f), s.setOwn(ctx, k, f, r)
	}
	return done(k, f), s.setDetails(ctx, k, f, r)
}

func (s *Service) detailed(ctx context.Context, kind, id string) (Kind, Found, error) {
	k, err := s.kind("resourcetype", kind, Details)
	if err != nil {
		return k, Found{}, err
	}
	f, err := s.find(ctx, k, "resourceid", id)
	if err == nil {
		about(ctx, k, f)
	}
	return k, f, err
}

// setOwn changes details that are a part of the resource's row, which has no
// hidden ones.
func (s *Service) setOwn(ctx context.Context, k Kind, f Found, r AddDetailRequest) error {
	if r.Display != nil && !*r.Display {
		return fault.Param("fordisplay", "error.detail_shown", "type", k.Name)
	}
	all, err := k.Own.Read(ctx, f.ID)
	if err != nil {
		return err
	}
	if all == nil {
		all = map[string]string{}
	}
	for key, value := range r.Details {
		all[key] = value
	}
	return k.Own.Write(ctx, f.ID, all)
}

func (s *Service) setDetails(ctx context.Context, k Kind, f Found, r AddDetailRequest) error {
	owned, err := store.For(ctx, f.Owner)
	if err != nil {
		return err
	}
	sys := store.System(ctx, "details of a resource that was found")
	display := r.Display == nil || *r.Display
	for key, value := range r.Details {
		set := s.db.In(sys).Model(&Detail{}).Where("resource_id = ? AND detail_key = ?", f.ID, key).
			Updates(map[string]any{"detail_value": value, "display": display})
		if set.Error != nil {
			return set.Error
		}
		if set.RowsAffected > 0 {
			continue
		}
		d := Detail{ID: s.db.NewID(), CreatedAt: s.db.Now(), Kind: k.Name, ResourceID: f.ID, Key: key, Value: value, Display: display}
		if err := gorm.G[Detail](s.db.In(owned)).Create(owned, &d); err != nil {
			return err
		}
	}
	return nil
}
