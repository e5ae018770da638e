package catalog

import (
	"context"
	"encoding/json"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// TypeView is a guest operating system as commands return it.
type TypeView struct {
	ID           string `json:"id" doc:"the operating system"`
	Name         string `json:"name" doc:"the operator's own short name"`
	Description  string `json:"description" doc:"the name that people see"`
	CategoryID   string `json:"oscategoryid" doc:"its category"`
	CategoryName string `json:"oscategoryname" doc:"the name of its category"`
	UserDefined  bool   `json:"isuserdefined" doc:"whether an operator added it"`
	Display      bool   `json:"fordisplay" doc:"whether users see it"`
}

// ListTypesRequest asks for guest operating systems.
type ListTypesRequest struct {
	command.Paging
	ID          string `json:"id" ref:"ostype" doc:"the operating system"`
	CategoryID  string `json:"oscategoryid" ref:"oscategory" doc:"those of the category"`
	Description string `json:"description" doc:"the name that people see, as a whole"`
	Display     *bool  `json:"fordisplay" view:"admin" doc:"whether users see it; all without"`
}

func (s *Service) listTypesCommand() *command.Command {
	return command.New(command.Meta{Name: "listOsTypes", Object: "ostype", Roles: command.Everyone, Doc: "Lists guest operating systems"}, s.ListTypes)
}

// ListTypes returns a page of guest operating systems. Users see only those
// that are for them.
func (s *Service) ListTypes(ctx context.Context, r ListTypesRequest) (out command.List[TypeView], err error) {
	q := command.Equal(command.Equal(s.db.In(ctx).Model(&Type{}), "id", r.ID), "category_id", r.CategoryID)
	q = command.Named(q, "display_name", r.Description)
	actor, _ := store.From(ctx)
	switch {
	case !actor.IsSystem() && actor.Rank != store.Admin:
		q = q.Where("display = ?", true)
	case r.Display != nil:
		q = q.Where("display = ?", *r.Display)
	}
	rows, n, err := command.Rows[Type](r.Search(q, "display_name", "name"), r.Paging, "display_name, id")
	if err != nil {
		return out, err
	}
	views, err := s.typeViews(ctx, rows)
	return command.List[TypeView]{Count: n, Items: views}, err
}

func (s *Service) typeViews(ctx context.Context, rows []Type) ([]TypeView, error) {
	var ids []string
	for _, t := range rows {
		ids = append(ids, t.CategoryID)
	}
	names, err := store.Names[Category](ctx, s.db, ids)
	out := make([]TypeView, len(rows))
	for i, t := range rows {
		out[i] = TypeView{
			ID: t.ID, Name: t.Name, Description: t.DisplayName, CategoryID: t.CategoryID, CategoryName: names[t.CategoryID],
			UserDefined: t.UserDefined, Display: t.Display,
		}
	}
	return out, err
}

func (s *Service) typeView(ctx context.Context, id string) (TypeView, error) {
	t, err := store.Find[Type](ctx, s.db, id)
	if err != nil {
		return TypeView{}, err
	}
	views, err := s.typeViews(ctx, []Type{t})
	if err != nil {
		return TypeView{}, err
	}
	return views[0], nil
}

// Find finds a guest operating system that a template may have; param names the
// parameter that gave it.
func Find(ctx context.Context, db *store.DB, param, id string) (Type, error) {
	t, err := store.Find[Type](ctx, db, id)
	actor, _ := store.From(ctx)
	if store.IsAbsent(err) || err == nil && !t.Display && !actor.IsSystem() && actor.Rank != store.Admin {
		err = fault.Absent(param, id)
	}
	return t, err
}

// NamesOf names guest operating systems, removed ones too.
func NamesOf(ids []string) store.Some {
	return store.Some{Model: &Type{}, IDs: ids, Name: "display_name"}
}

func typeMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "ostype", Event: event, Roles: command.Admin, Doc: doc}
}

// AddTypeRequest is a new guest operating system.
type AddTypeRequest struct {
	CategoryID  string            `json:"oscategoryid" ref:"oscategory" required:"true" doc:"its category"`
	DisplayName string            `json:"osdisplayname" required:"true" doc:"the name that people see"`
	Name        string            `json:"name" doc:"a short name of your own"`
	Details     map[string]string `json:"details" doc:"free details"`
	Display     *bool             `json:"fordisplay" doc:"false hides it from users"`
}

func (s *Service) addTypeCommand() *command.Command {
	return command.Async(typeMeta("addGuestOs", "GUEST.OS.ADD", "Adds a guest operating system"), s.addType, s.typeView)
}

func (s *Service) addType(ctx context.Context, r AddTypeRequest) (job.Spec, error) {
	if _, err := s.holdCategory(ctx, "oscategoryid", r.CategoryID); err != nil {
		return job.Spec{}, err
	}
	details, err := json.Marshal(r.Details)
	if err != nil {
		return job.Spec{}, err
	}
	name := strings.TrimSpace(r.DisplayName)
	key := strings.ToLower(name)
	t := Type{
		Row: store.Row{ID: s.db.NewID()}, CategoryID: r.CategoryID, Name: r.Name, DisplayName: name, NameKey: &key,
		Display: r.Display == nil || *r.Display, UserDefined: true, Details: string(details),
	}
	if err := gorm.G[Type](s.db.In(ctx)).Create(ctx, &t); err != nil {
		return job.Spec{}, taken("osdisplayname", name, err)
	}
	return done("ostype", t.ID, name), nil
}

// UpdateTypeRequest changes a guest operating system.
type UpdateTypeRequest struct {
	ID          string            `json:"id" ref:"ostype" required:"true" doc:"the operating system"`
	CategoryID  string            `json:"oscategoryid" ref:"oscategory" doc:"its category"`
	DisplayName string            `json:"osdisplayname" doc:"the name that people see, of one that an operator added"`
	Details     map[string]string `json:"details" doc:"free details, instead of those it has"`
	Display     *bool             `json:"fordisplay" doc:"false hides it from users"`
}

func (s *Service) updateTypeCommand() *command.Command {
	return command.Async(typeMeta("updateGuestOs", "GUEST.OS.UPDATE", "Changes a guest operating system"), s.updateType, s.typeView)
}

func (s *Service) updateType(ctx context.Context, r UpdateTypeRequest) (job.Spec, error) {
	t, err := s.holdType(ctx, "id", r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	set := map[string]any{}
	if r.CategoryID != "" {
		if _, err := s.holdCategory(ctx, "oscategoryid", r.CategoryID); err != nil {
			return job.Spec{}, err
		}
		set["category_id"] = r.CategoryID
	}
	name := strings.TrimSpace(r.DisplayName)
	if name != "" && name != t.DisplayName {
		if !t.UserDefined { // clients look for the names that all clouds have
			return job.Spec{}, fault.Param("osdisplayname", "error.os_builtin", "name", t.DisplayName)
		}
		set["display_name"], set["name_key"] = name, strings.ToLower(name)
	}
	if r.Display != nil {
		set["display"] = *r.Display
	}
	if len(r.Details) > 0 {
		b, err := json.Marshal(r.Details)
		if err != nil {
			return job.Spec{}, err
		}
		set["details"] = string(b)
	}
	if len(set) > 0 {
		err = s.db.In(ctx).Model(&Type{}).Where("id = ?", t.ID).Updates(set).Error
	}
	return done("ostype", t.ID, t.DisplayName), taken("osdisplayname", name, err)
}

func (s *Service) holdType(ctx context.Context, param, id string) (Type, error) {
	t, err := store.Hold[Type](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent(param, id)
	}
	return t, err
}

// TypeRequest names a guest operating system.
type TypeRequest struct {
	ID string `json:"id" ref:"ostype" required:"true" doc:"the operating system"`
}

func (s *Service) removeTypeCommand() *command.Command {
	m := typeMeta("removeGuestOs", "GUEST.OS.REMOVE", "Removes a guest operating system that an operator added; templates keep its name")
	m.Object = ""
	return command.Async[TypeRequest, command.Success](m, s.removeType, nil)
}

func (s *Service) removeType(ctx context.Context, r TypeRequest) (job.Spec, error) {
	t, err := s.holdType(ctx, "id", r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if !t.UserDefined {
		return job.Spec{}, fault.Param("id", "error.os_builtin", "name", t.DisplayName)
	}
	g := s.db.In(ctx)
	if err := g.Where("guest_os_id = ?", t.ID).Delete(&Mapping{}).Error; err != nil {
		return job.Spec{}, err
	}
	if err := label.Drop(ctx, s.db, t.ID); err != nil {
		return job.Spec{}, err
	}
	err = g.Model(&Type{}).Where("id = ?", t.ID).Updates(map[string]any{"removed_at": s.db.Now(), "name_key": nil}).Error
	return done("ostype", t.ID, t.DisplayName), err
}

func (s *Service) typeDetails(ctx context.Context, id string) (map[string]string, error) {
	t, err := store.Find[Type](ctx, s.db, id)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	err = json.Unmarshal([]byte(t.Details), &out)
	return out, err
}

func (s *Service) setTypeDetails(ctx context.Context, id string, details map[string]string) error {
	b, err := json.Marshal(details)
	if err != nil {
		return err
	}
	return s.db.In(ctx).Model(&Type{}).Where("id = ?", id).Update("details", string(b)).Error
}

// ByName is the guest operating system that people call so; an empty one when
// there is none.
func ByName(ctx context.Context, db *store.DB, name string) (Type, error) {
	t, err := gorm.G[Type](db.In(ctx)).Where("name_key = ?", strings.ToLower(name)).Take(ctx)
	if store.IsAbsent(err) {
		return Type{}, nil
	}
	return t, err
}
