package catalog

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/label"
	"aerie/services/store"
)

// CategoryView is a category as commands return it.
type CategoryView struct {
	ID       string       `json:"id" doc:"the category"`
	Name     string       `json:"name" doc:"its name"`
	Featured bool         `json:"isfeatured" doc:"whether it is shown first where templates are chosen"`
	Created  command.Time `json:"created" doc:"when it was made"`
	Icon     *label.Icon  `json:"icon" doc:"its icon"`
}

func (c Category) view() CategoryView {
	return CategoryView{ID: c.ID, Name: c.Name, Featured: c.Featured, Created: command.Time{Time: c.CreatedAt}}
}

// ListCategoriesRequest asks for categories.
type ListCategoriesRequest struct {
	command.Paging
	label.Show
	ID       string `json:"id" ref:"oscategory" doc:"the category"`
	Name     string `json:"name" doc:"its name, as a whole"`
	Featured *bool  `json:"isfeatured" doc:"whether it is shown first"`
	Arch     string `json:"arch" doc:"categories of templates for the processor"`
	ISO      *bool  `json:"isiso" doc:"true: categories of ISOs, of which there are none"`
	VNF      *bool  `json:"isvnf" doc:"true: categories of network appliances, of which there are none"`
	ZoneID   string `json:"zoneid" ref:"zone" doc:"categories of templates in the zone"`
}

func (s *Service) listCategoriesCommand() *command.Command {
	return command.New(command.Meta{Name: "listOsCategories", Object: "oscategory", Roles: command.Everyone, Doc: "Lists categories of guest operating systems"}, s.ListCategories)
}

// ListCategories returns a page of categories.
func (s *Service) ListCategories(ctx context.Context, r ListCategoriesRequest) (out command.List[CategoryView], err error) {
	if r.ISO != nil && *r.ISO || r.VNF != nil && *r.VNF {
		return out, nil
	}
	q := command.Named(command.Equal(s.db.In(ctx).Model(&Category{}), "id", r.ID), "name", r.Name)
	if r.Featured != nil {
		q = q.Where("featured = ?", *r.Featured)
	}
	if (r.ZoneID != "" || r.Arch != "") && s.Offered != nil {
		ids, err := s.Offered(ctx, OfferedFilter{ZoneID: r.ZoneID, Arch: r.Arch})
		if err != nil {
			return out, err
		}
		q = q.Where("id IN ?", ids)
	}
	rows, n, err := command.Rows[Category](r.Search(q, "name"), r.Paging, "sort_key, name, id")
	if err != nil {
		return out, err
	}
	l, err := label.Of(ctx, s.db, label.Want{IDs: idsOf(rows), Icons: r.Icon})
	return command.ListOf(rows, n, func(c Category) CategoryView {
		v := c.view()
		v.Icon = l.Icon(c.ID)
		return v
	}), err
}

func idsOf(rows []Category) (ids []string) {
	for _, c := range rows {
		ids = append(ids, c.ID)
	}
	return ids
}

// AddCategoryRequest is a new category.
type AddCategoryRequest struct {
	Name     string `json:"name" required:"true" doc:"its name"`
	Featured bool   `json:"isfeatured" doc:"whether it is shown first where templates are chosen"`
}

func categoryMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "oscategory", Event: event, Roles: command.Admin, Doc: doc}
}

func (s *Service) addCategoryCommand() *command.Command {
	return command.New(categoryMeta("addOsCategory", "GUEST.OS.CATEGORY.ADD", "Adds a category of guest operating systems"),
		func(ctx context.Context, r AddCategoryRequest) (CategoryView, error) {
			c := Category{ID: s.db.NewID(), CreatedAt: s.db.Now(), Name: strings.TrimSpace(r.Name), Featured: r.Featured}
			if err := s.freeCategory(ctx, c); err != nil {
				return CategoryView{}, err
			}
			return c.view(), taken("name", c.Name, gorm.G[Category](s.db.In(ctx)).Create(ctx, &c))
		})
}

// freeCategory refuses a name that another has in any case.
func (s *Service) freeCategory(ctx context.Context, c Category) error {
	var n int64
	err := command.Named(s.db.In(ctx).Model(&Category{}), "name", c.Name).Where("id <> ?", c.ID).Count(&n).Error
	if err == nil && n > 0 {
		err = fault.Param("name", "error.name_taken", "value", c.Name)
	}
	return err
}

// taken says what a duplicate key means.
func taken(param, value string, err error) error {
	if store.IsDuplicate(err) {
		return fault.Param(param, "error.name_taken", "value", value)
	}
	return err
}

// UpdateCategoryRequest changes a category.
type UpdateCategoryRequest struct {
	ID       string `json:"id" ref:"oscategory" required:"true" doc:"the category"`
	Name     string `json:"name" doc:"its name"`
	Featured *bool  `json:"isfeatured" doc:"whether it is shown first where templates are chosen"`
	SortKey  *int   `json:"sortkey" doc:"its place in lists, the least first"`
}

func (s *Service) updateCategoryCommand() *command.Command {
	return command.New(categoryMeta("updateOsCategory", "GUEST.OS.CATEGORY.UPDATE", "Changes a category of guest operating systems"), s.updateCategory)
}

func (s *Service) updateCategory(ctx context.Context, r UpdateCategoryRequest) (CategoryView, error) {
	c, err := store.Find[Category](ctx, s.db, r.ID)
	if err != nil {
		return CategoryView{}, err
	}
	before := c
	if name := strings.TrimSpace(r.Name); name != "" {
		c.Name = name
		if err := s.freeCategory(ctx, c); err != nil {
			return CategoryView{}, err
		}
	}
	if r.Featured != nil {
		c.Featured = *r.Featured
	}
	if r.SortKey != nil {
		c.SortKey = *r.SortKey
	}
	command.Changed(ctx, before.audit(), c.audit())
	err = s.db.In(ctx).Model(&Category{}).Where("id = ?", c.ID).Updates(c.audit()).Error
	return c.view(), taken("name", c.Name, err)
}

// audit is what may change of a category, by its columns.
func (c Category) audit() map[string]any {
	return map[string]any{"name": c.Name, "featured": c.Featured, "sort_key": c.SortKey}
}

// CategoryRequest names a category.
type CategoryRequest struct {
	ID string `json:"id" ref:"oscategory" required:"true" doc:"the category"`
}

func (s *Service) deleteCategoryCommand() *command.Command {
	m := categoryMeta("deleteOsCategory", "GUEST.OS.CATEGORY.DELETE", "Removes a category of guest operating systems that is empty")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r CategoryRequest) (command.Success, error) {
		c, err := s.holdCategory(ctx, "id", r.ID)
		if err != nil {
			return command.Success{}, err
		}
		n, err := gorm.G[Type](s.db.In(ctx)).Where("category_id = ?", c.ID).Count(ctx, "id")
		if err != nil {
			return command.Success{}, err
		}
		if n > 0 {
			return command.Success{}, fault.New(fault.InUse, "error.holds.ostypes", "name", c.Name, "n", n)
		}
		if err := label.Drop(ctx, s.db, c.ID); err != nil {
			return command.Success{}, err
		}
		return command.OK, s.db.In(ctx).Where("id = ?", c.ID).Delete(&Category{}).Error
	})
}

// holdCategory finds a category that stays until the transaction ends.
func (s *Service) holdCategory(ctx context.Context, param, id string) (Category, error) {
	c, err := store.Hold[Category](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent(param, id)
	}
	return c, err
}
