package image

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// ListRequest asks for templates.
type ListRequest struct {
	command.Paging
	command.Scope
	Filter      string   `json:"templatefilter" required:"true" doc:"featured, self, selfexecutable, sharedexecutable, executable, community, shared or all"`
	ID          string   `json:"id" ref:"template" doc:"the template"`
	IDs         []string `json:"ids" ref:"template" doc:"several templates"`
	Name        string   `json:"name" doc:"name of the template, as a whole"`
	ZoneID      string   `json:"zoneid" ref:"zone" doc:"templates of the zone"`
	Hypervisor  string   `json:"hypervisor" doc:"the hypervisor"`
	Arch        string   `json:"arch" doc:"the processor"`
	Type        string   `json:"templatetype" doc:"BUILTIN or USER"`
	Ready       *bool    `json:"isready" doc:"whether instances can be made of it"`
	ShowRemoved bool     `json:"showremoved" doc:"true lists removed ones too"`
}

func (s *Service) listCommand() *command.Command {
	return command.New(meta("listTemplates", "", "Lists templates"), s.List)
}

// List returns a page of templates.
func (s *Service) List(ctx context.Context, r ListRequest) (command.List[View], error) {
	q := s.db.In(ctx).Model(&Template{})
	if r.ShowRemoved {
		q = q.Unscoped()
	}
	q, err := s.filter(ctx, q, r)
	if err != nil {
		return command.List[View]{}, err
	}
	for column, value := range map[string]string{"id": r.ID, "name": r.Name, "hypervisor": r.Hypervisor, "arch": r.Arch, "type": r.Type} {
		if value != "" {
			q = q.Where(column+" = ?", value) // columns are the literals above
		}
	}
	if len(r.IDs) > 0 {
		q = q.Where("id IN ?", r.IDs)
	}
	if r.Keyword != "" {
		like := store.Contains(r.Keyword)
		q = q.Where("(name LIKE ? ESCAPE '!' OR display_text LIKE ? ESCAPE '!')", like, like)
	}
	if q = s.inZone(ctx, q, r); q.Error != nil {
		return command.List[View]{}, q.Error
	}
	list, n, err := command.Rows[Template](q, r.Paging, "featured DESC, created_at DESC, id DESC")
	if err != nil || len(list) == 0 {
		return command.List[View]{Count: n}, err
	}
	views, err := s.views(ctx, list)
	return command.List[View]{Count: n, Items: views}, err
}

// filter is CloudStack's templatefilter. The store has already limited the
// query to what the actor owns, sees as an admin, or is public.
func (s *Service) filter(ctx context.Context, q *gorm.DB, r ListRequest) (*gorm.DB, error) {
	actor, _ := store.From(ctx)
	public := clause.Eq{Column: store.Column("public"), Value: true}
	featured := clause.Eq{Column: store.Column("featured"), Value: true}
	switch r.Filter {
	case "featured":
		return q.Where(public).Where(featured), nil
	case "community":
		return q.Where(public).Where(clause.Not(featured)), nil
	case "self", "selfexecutable":
		return r.Apply(ctx, q, r.ID)
	case "shared", "sharedexecutable": // sharing with single accounts is not there yet
		return q.Where("1 = 0"), nil
	case "executable":
		if actor.Rank == store.Admin && r.ListAll {
			return q, nil
		}
		whose, err := r.Resolve(ctx)
		if err != nil {
			return nil, err
		}
		target, _ := store.From(whose)
		mine := clause.Eq{Column: store.Column("account_id"), Value: target.Target().AccountID}
		return q.Where(clause.Or(mine, public)), nil
	case "all":
		if actor.Rank == store.User && !actor.IsSystem() {
			return nil, fault.Param("templatefilter", "error.filter_all")
		}
		if r.ProjectID != "" {
			return r.Apply(ctx, q, r.ID)
		}
		return q, nil
	}
	return nil, fault.Param("templatefilter", "error.choice", "value", r.Filter,
		"choices", "featured, self, selfexecutable, sharedexecutable, executable, community, shared, all")
}

func (s *Service) inZone(ctx context.Context, q *gorm.DB, r ListRequest) *gorm.DB {
	if r.ZoneID == "" && r.Ready == nil {
		return q
	}
	copies := s.db.In(ctx).Model(&Copy{}).Select("template_id")
	if r.ZoneID != "" {
		copies = copies.Where("zone_id = ?", r.ZoneID)
	}
	if r.Ready == nil {
		return q.Where("id IN (?)", copies)
	}
	copies = copies.Where("state = ?", Ready)
	if *r.Ready {
		return q.Where("id IN (?)", copies)
	}
	return q.Where("id NOT IN (?)", copies)
}
