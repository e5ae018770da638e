package iam

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// NewProject is a project to be, in a domain, with its first admin.
type NewProject struct {
	Name, DisplayText string
	Owner             Account
	UserID            string // a single user of the owner; empty for all
}

// CreateProject makes a project, its account and its first member. It belongs
// in a transaction. Who asks was looked at by the caller.
func (s *Service) CreateProject(ctx context.Context, n NewProject) (Project, error) {
	if err := checkName("name", n.Name, "/"); err != nil {
		return Project{}, err
	}
	ctx = store.System(ctx, "a project for its first member")
	in, err := s.lockDomain(ctx, n.Owner.DomainID)
	if err != nil {
		return Project{}, err
	}
	number, err := s.db.Next(ctx, "account")
	if err != nil {
		return Project{}, err
	}
	a := Account{
		Row: s.newRow(""), Number: number, DomainID: in.ID, DomainPath: in.Path,
		Type: store.ProjectRank, RoleID: RoleUser, State: Enabled, APIKeyAccess: Deny, Details: []byte("{}"),
	}
	a.Name = fmt.Sprintf("PrjAcct-%s-%d", clip(n.Name, longestName-40), number)
	a.NameKey = ptr(fold(a.Name))
	if err := s.db.In(ctx).Create(&a).Error; err != nil {
		return Project{}, taken(err, "name", n.Name)
	}
	p := Project{
		Row: a.Row, DomainID: a.DomainID, DomainPath: a.DomainPath, Name: n.Name, NameKey: ptr(fold(n.Name)),
		DisplayText: n.DisplayText, State: ProjectActive,
	}
	if err := s.db.In(ctx).Create(&p).Error; err != nil {
		return p, taken(err, "name", n.Name)
	}
	rows := newQuotas(p.ID, Kinds(), false)
	for i := range rows {
		rows[i].Project = true
	}
	if err := s.db.In(ctx).Create(&rows).Error; err != nil {
		return p, err
	}
	_, err = s.AddMember(ctx, p, Member{AccountID: n.Owner.ID, UserID: n.UserID, Role: ProjectAdmin})
	return p, err
}

// RenameProject changes a project's name and text; nil leaves as it is.
func (s *Service) RenameProject(ctx context.Context, p Project, name, text *string) error {
	set := map[string]any{}
	if name != nil {
		if err := checkName("name", *name, "/"); err != nil {
			return err
		}
		set["name"], set["name_key"] = *name, fold(*name)
	}
	if text != nil {
		set["display_text"] = *text
	}
	if len(set) == 0 {
		return nil
	}
	err := s.db.In(ctx).Model(&Project{}).Where("id = ?", p.ID).Updates(set).Error
	if name != nil {
		err = taken(err, "name", *name)
	}
	return err
}

// SetProjectAccount lets a project's account take part, or not.
func (s *Service) SetProjectAccount(ctx context.Context, p Project, state string) error {
	ctx = store.System(ctx, "the account of a project")
	return s.db.In(ctx).Model(&Account{}).Where("id = ? AND type = ?", p.ID, store.ProjectRank).Update("state", state).Error
}

// RemoveProject removes a project that owns nothing any more (OnDeleteAccount),
// with its members and its account. It belongs in a transaction, in which all
// that hangs on the project by its id goes, too.
func (s *Service) RemoveProject(ctx context.Context, p Project) error {
	ctx = store.System(ctx, "remove a project")
	a, err := s.AccountByID(ctx, p.ID)
	if err != nil {
		return err
	}
	for _, hook := range s.OnDeleteAccount {
		if err := hook(ctx, a); err != nil {
			return err
		}
	}
	members, err := gorm.G[Member](s.db.In(ctx)).Where("project_id = ?", p.ID).Find(ctx)
	if err != nil {
		return err
	}
	for _, m := range members {
		if err := s.dropMember(ctx, m); err != nil {
			return err
		}
	}
	now := s.db.Now()
	gone := map[string]any{"removed_at": now, "name_key": nil}
	if err := s.db.In(ctx).Model(&Project{}).Where("id = ?", p.ID).Updates(gone).Error; err != nil {
		return err
	}
	if err := s.db.In(ctx).Model(&Account{}).Where("id = ?", a.ID).Updates(gone).Error; err != nil {
		return err
	}
	return s.dropQuotas(ctx, a)
}

// AddMember puts an account or a user into a project. It belongs in a
// transaction.
func (s *Service) AddMember(ctx context.Context, p Project, m Member) (Member, error) {
	ctx = store.System(ctx, "a member of a project")
	account, err := s.AccountByID(ctx, m.AccountID)
	if err != nil {
		return m, err
	}
	if account.DomainID != p.DomainID {
		return m, fault.New(fault.Forbidden, "error.project_domain", "name", account.Name)
	}
	m.ID, m.CreatedAt, m.ProjectID = s.db.NewID(), s.db.Now(), p.ID
	if err := s.db.In(ctx).Create(&m).Error; err != nil {
		if store.IsDuplicate(err) {
			err = fault.New(fault.Conflict, "error.project_member", "name", account.Name)
		}
		return m, err
	}
	if m.Role == ProjectAdmin {
		err = s.Reserve(ctx, account.Owner(), Projects, 1)
	}
	return m, err
}

// SetMemberRole makes a member an admin of the project or a regular one. The
// last admin stays one.
func (s *Service) SetMemberRole(ctx context.Context, m Member, role string) error {
	if m.Role == role {
		return nil
	}
	ctx = store.System(ctx, "a member of a project")
	if role != ProjectAdmin {
		if err := s.keepProjectAdmin(ctx, m); err != nil {
			return err
		}
	}
	set := s.db.In(ctx).Model(&Member{}).Where("id = ? AND role = ?", m.ID, m.Role).Update("role", role)
	if set.Error == nil && set.RowsAffected == 0 {
		return fault.New(fault.Conflict, "error.project_changed")
	}
	if set.Error != nil {
		return set.Error
	}
	account, err := s.AccountByID(ctx, m.AccountID)
	if err != nil {
		return err
	}
	if role == ProjectAdmin {
		return s.Reserve(ctx, account.Owner(), Projects, 1)
	}
	return s.Release(ctx, account.Owner(), Projects, 1)
}

// RemoveMember puts a member out of its project; the last admin stays.
func (s *Service) RemoveMember(ctx context.Context, m Member) error {
	ctx = store.System(ctx, "a member of a project")
	if err := s.keepProjectAdmin(ctx, m); err != nil {
		return err
	}
	return s.dropMember(ctx, m)
}

func (s *Service) dropMember(ctx context.Context, m Member) error {
	gone := s.db.In(ctx).Where("id = ? AND role = ?", m.ID, m.Role).Delete(&Member{})
	if gone.Error != nil {
		return gone.Error
	}
	if gone.RowsAffected == 0 {
		return fault.New(fault.Conflict, "error.project_changed")
	}
	if m.Role != ProjectAdmin {
		return nil
	}
	var account Account
	if err := s.db.In(ctx).Unscoped().Where("id = ?", m.AccountID).Take(&account).Error; err != nil {
		return err
	}
	return s.Release(ctx, account.Owner(), Projects, 1)
}

// keepProjectAdmin refuses to take a project's last admin away. It holds the
// project until the transaction ends, so that two do not leave at once.
func (s *Service) keepProjectAdmin(ctx context.Context, leaving ...Member) error {
	var ids []string
	project := ""
	for _, m := range leaving {
		if m.Role == ProjectAdmin {
			ids, project = append(ids, m.ID), m.ProjectID
		}
	}
	if project == "" {
		return nil
	}
	p, err := store.Hold[Project](ctx, s.db, project)
	if err != nil {
		return err
	}
	n, err := gorm.G[Member](s.db.In(ctx)).Where("project_id = ? AND role = ? AND id NOT IN ?", project, ProjectAdmin, ids).Count(ctx, "id")
	if err == nil && n == 0 {
		err = fault.New(fault.InUse, "error.project_last_admin", "name", p.Name)
	}
	return err
}

// leaveProjects takes an account, or one of its users, out of all projects. A
// project that would have no admin keeps it: somebody else must get it first.
func (s *Service) leaveProjects(ctx context.Context, accountID, userID string) error {
	ctx = store.System(ctx, "who goes leaves its projects")
	q := gorm.G[Member](s.db.In(ctx)).Where("account_id = ?", accountID)
	if userID != "" {
		q = q.Where("user_id = ?", userID)
	}
	all, err := q.Order("project_id").Find(ctx)
	if err != nil {
		return err
	}
	for _, chunk := range byProject(all) {
		if err := s.keepProjectAdmin(ctx, chunk...); err != nil {
			return err
		}
		for _, m := range chunk {
			if err := s.dropMember(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// byProject parts members that are in the order of their projects.
func byProject(all []Member) (out [][]Member) {
	for _, m := range all {
		if n := len(out); n > 0 && out[n-1][0].ProjectID == m.ProjectID {
			out[n-1] = append(out[n-1], m)
			continue
		}
		out = append(out, []Member{m})
	}
	return out
}

// countProjects counts the projects that an account, or users of it, manage.
func (s *Service) countProjects(ctx context.Context, accountID string) (int64, error) {
	return gorm.G[Member](s.db.In(ctx)).Where("account_id = ? AND role = ?", accountID, ProjectAdmin).Count(ctx, "id")
}
