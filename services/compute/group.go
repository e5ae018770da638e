package compute

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/label"
	"aerie/services/store"
)

// Group is a name under which an account puts instances together.
type Group struct {
	store.Row
	store.Owned
	Name string
}

// TableName is the groups' table.
func (Group) TableName() string { return "instance_groups" }

// GroupView is an instance group as commands return it.
type GroupView struct {
	ID string `json:"id"`
	Held
	Name    string       `json:"name"`
	Created command.Time `json:"created"`
}

// Held is embedded by what belongs to an account or a project.
type Held struct {
	iam.Belongs
	Annotations bool `json:"hasannotations"`
}

func groupMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "instancegroup", Event: event, Roles: command.Everyone, Doc: doc}
}

func (s *Service) groupViews(ctx context.Context, list []Group) ([]GroupView, error) {
	var of []store.Owner
	for _, g := range list {
		of = append(of, g.Owner())
	}
	owners, err := s.IAM.Owners(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]GroupView, len(list))
	for i, g := range list {
		out[i] = GroupView{ID: g.ID, Held: Held{Belongs: owners(g.Owner())}, Name: g.Name, Created: command.Time{Time: g.CreatedAt}}
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Notes: true}, func(v *GroupView) string { return v.ID }, func(v *GroupView, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
	})
}

func (s *Service) groupView(ctx context.Context, g Group) (GroupView, error) {
	views, err := s.groupViews(ctx, []Group{g})
	if err != nil {
		return GroupView{}, err
	}
	return views[0], nil
}

// CreateGroupRequest is a new instance group.
type CreateGroupRequest struct {
	command.Owner
	Name string `json:"name" required:"true" doc:"name of the group"`
}

func (s *Service) createGroupCommand() *command.Command {
	return command.New(groupMeta("createInstanceGroup", "VM.GROUP.CREATE", "Makes a group of instances"),
		func(ctx context.Context, r CreateGroupRequest) (GroupView, error) {
			ctx, err := r.Resolve(ctx)
			if err != nil {
				return GroupView{}, err
			}
			g := Group{Row: store.Row{ID: s.db.NewID()}, Name: r.Name}
			if err := s.addNamed(ctx, &g, r.Name); err != nil {
				return GroupView{}, err
			}
			return s.groupView(ctx, g)
		})
}

// addNamed creates a row whose name is unique in its account.
func (s *Service) addNamed(ctx context.Context, row any, name string) error {
	err := s.db.In(ctx).Create(row).Error
	if store.IsDuplicate(err) {
		return fault.Param("name", "error.name_taken", "value", name)
	}
	return err
}

// UpdateGroupRequest renames an instance group.
type UpdateGroupRequest struct {
	ID   string `json:"id" ref:"instancegroup" required:"true" doc:"the group"`
	Name string `json:"name" doc:"new name of the group"`
}

func (s *Service) updateGroupCommand() *command.Command {
	return command.New(groupMeta("updateInstanceGroup", "VM.GROUP.UPDATE", "Renames a group of instances"),
		func(ctx context.Context, r UpdateGroupRequest) (GroupView, error) {
			g, err := store.Find[Group](ctx, s.db, r.ID)
			if err != nil {
				return GroupView{}, named(err, "id", r.ID)
			}
			old := g.Name
			if r.Name != "" {
				_, err = gorm.G[Group](s.db.In(ctx)).Where("id = ?", g.ID).Update(ctx, "name", r.Name)
				if store.IsDuplicate(err) {
					err = fault.Param("name", "error.name_taken", "value", r.Name)
				}
				if err != nil {
					return GroupView{}, err
				}
				g.Name = r.Name
			}
			command.Changed(ctx, map[string]any{"name": old}, map[string]any{"name": g.Name})
			return s.groupView(ctx, g)
		})
}

// GroupRequest names an instance group.
type GroupRequest struct {
	ID string `json:"id" ref:"instancegroup" required:"true" doc:"the group"`
}

func (s *Service) deleteGroupCommand() *command.Command {
	m := groupMeta("deleteInstanceGroup", "VM.GROUP.DELETE", "Removes a group; its instances stay")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r GroupRequest) (command.Success, error) {
		g, err := store.Find[Group](ctx, s.db, r.ID)
		if err != nil {
			return command.Success{}, named(err, "id", r.ID)
		}
		// Members that the actor does not see, such as removed ones, leave it too.
		sys := store.System(ctx, "the members of a group that is removed")
		if err := s.db.In(sys).Unscoped().Model(&VM{}).Where("group_id = ?", g.ID).UpdateColumn("group_id", "").Error; err != nil {
			return command.Success{}, err
		}
		if err := label.Drop(ctx, s.db, g.ID); err != nil {
			return command.Success{}, err
		}
		return command.OK, s.db.In(ctx).Unscoped().Where("id = ?", g.ID).Delete(&Group{}).Error
	})
}

// ListGroupsRequest asks for instance groups.
type ListGroupsRequest struct {
	command.Paging
	command.Scope
	ID   string `json:"id" ref:"instancegroup" doc:"the group"`
	Name string `json:"name" doc:"name of the group, as a whole"`
}

func (s *Service) listGroupsCommand() *command.Command {
	return command.New(groupMeta("listInstanceGroups", "", "Lists groups of instances"),
		func(ctx context.Context, r ListGroupsRequest) (out command.List[GroupView], err error) {
			q, err := r.Apply(ctx, s.db.In(ctx).Model(&Group{}), r.ID)
			if err != nil {
				return out, err
			}
			q = command.Named(command.Equal(q, "id", r.ID), "name", r.Name)
			list, n, err := command.Rows[Group](r.Search(q, "name"), r.Paging, "name, id")
			if err != nil {
				return out, err
			}
			views, err := s.groupViews(ctx, list)
			return command.List[GroupView]{Count: n, Items: views}, err
		})
}

// joinGroup finds the owner's group of that name, or makes it.
func (s *Service) joinGroup(ctx context.Context, o store.Owner, name string) (string, error) {
	have, err := gorm.G[Group](s.db.In(ctx)).Where("account_id = ? AND name = ?", o.AccountID, name).Limit(1).Find(ctx)
	if err != nil || len(have) == 1 {
		return first(have).ID, err
	}
	ctx, err = store.For(ctx, o)
	if err != nil {
		return "", err
	}
	g := Group{Row: store.Row{ID: s.db.NewID()}, Owned: store.Owned(o), Name: name}
	return g.ID, s.addNamed(ctx, &g, name)
}

func first[T any](list []T) (none T) {
	if len(list) > 0 {
		return list[0]
	}
	return none
}

// GroupNames are the names of the instance groups of accounts that the caller
// sees, by account.
func (s *Service) GroupNames(ctx context.Context, accountIDs []string) (map[string][]string, error) {
	list, err := gorm.G[Group](s.db.In(ctx)).Where("account_id IN ?", accountIDs).Order("name").Find(ctx)
	out := map[string][]string{}
	for _, g := range list {
		out[g.AccountID] = append(out[g.AccountID], g.Name)
	}
	return out, err
}
