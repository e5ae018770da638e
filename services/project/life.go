package project

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

// IDRequest names a project.
type IDRequest struct {
	ID string `json:"id" ref:"project" required:"true" doc:"the project"`
}

func (s *Service) activateCommand() *command.Command {
	return command.Async(meta("activateProject", "project", "PROJECT.ACTIVATE", "Lets a suspended project go on"),
		func(ctx context.Context, r IDRequest) (job.Spec, error) {
			p, err := s.move(ctx, r.ID, iam.ActivateProject, iam.Enabled)
			return done(p), err
		}, s.Show)
}

func (s *Service) suspendCommand() *command.Command {
	return command.Async(meta("suspendProject", "project", "PROJECT.SUSPEND", "Stops what runs in a project and lets nothing in it change"),
		func(ctx context.Context, r IDRequest) (job.Spec, error) {
			p, err := s.move(ctx, r.ID, iam.SuspendProject, iam.Disabled)
			spec := done(p)
			spec.Kind = suspendJob
			return spec, err
		}, s.Show)
}

// move moves a project and with it what its account may.
func (s *Service) move(ctx context.Context, id string, to iam.ProjectEvent, account string) (iam.Project, error) {
	p, err := s.managed(ctx, "id", id)
	if err != nil {
		return p, err
	}
	if err := state.Move(ctx, s.db, &p, iam.ProjectStates, to); err != nil {
		return p, err
	}
	return p, s.IAM.SetProjectAccount(ctx, p, account)
}

// DeleteRequest asks to delete a project.
type DeleteRequest struct {
	IDRequest
	Cleanup bool `json:"cleanup" doc:"true takes away all that the project owns; without it the project must own nothing"`
}

func (s *Service) deleteCommand() *command.Command {
	return command.Async[DeleteRequest, command.Success](meta("deleteProject", "", "PROJECT.DELETE", "Deletes a project"),
		func(ctx context.Context, r DeleteRequest) (job.Spec, error) {
			p, err := s.managed(ctx, "id", r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			if p.State == iam.ProjectDisabled {
				return job.Spec{}, fault.New(fault.Conflict, "error.project_going", "name", p.Name)
			}
			// Out of use first: what comes after finds it so.
			spec, err := s.begin(ctx, &p)
			if err != nil {
				return spec, err
			}
			if r.Cleanup {
				err = s.IAM.MayWipe(ctx, p.Name, []string{p.ID})
			} else {
				err = s.IAM.Left(ctx, iam.Account{Row: store.Row{ID: p.ID}, Name: p.Name})
			}
			return own(ctx, spec), err
		}, nil)
}

// UpdateRequest asks to change a project.
type UpdateRequest struct {
	IDRequest
	Name        string  `json:"name" doc:"the new name"`
	DisplayText *string `json:"displaytext" doc:"what it is for"`
	Account     string  `json:"account" doc:"a member: the new admin, or whose role changes"`
	UserID      string  `json:"userid" doc:"a member: the new admin, or whose role changes" type:"uuid"`
	SwapOwner   *bool   `json:"swapowner" doc:"true, the default: the member takes the place of the one admin; false: only its role changes"`
	RoleType    string  `json:"roletype" enum:"Admin,Regular" doc:"the member's new role, with swapowner=false"`
}

func (s *Service) updateCommand() *command.Command {
	return command.Async(meta("updateProject", "project", "PROJECT.UPDATE", "Changes a project, or hands it over"),
		func(ctx context.Context, r UpdateRequest) (job.Spec, error) {
			p, err := s.changing(ctx, "id", r.ID)
			if err != nil {
				return job.Spec{}, err
			}
			var name *string
			if r.Name != "" {
				name = &r.Name
			}
			if err := s.IAM.RenameProject(ctx, p, name, r.DisplayText); err != nil {
				return job.Spec{}, err
			}
			return done(p), s.handOver(ctx, p, r)
		}, s.Show)
}

// handOver changes who manages the project.
func (s *Service) handOver(ctx context.Context, p iam.Project, r UpdateRequest) error {
	if r.Account == "" && r.UserID == "" {
		if r.RoleType != "" || r.SwapOwner != nil {
			return fault.Param("account", "error.project_member_needed")
		}
		return nil
	}
	m, err := s.member(ctx, p, r.Account, r.UserID)
	if err != nil {
		return err
	}
	if r.SwapOwner != nil && !*r.SwapOwner {
		if r.RoleType == "" {
			return fault.Param("roletype", "error.project_role_needed")
		}
		return s.IAM.SetMemberRole(ctx, m, r.RoleType)
	}
	if r.RoleType == iam.ProjectRegular {
		return fault.Param("roletype", "error.project_swap_role")
	}
	admins, err := gorm.G[iam.Member](s.db.In(ctx)).Where("project_id = ? AND role = ? AND id <> ?", p.ID, iam.ProjectAdmin, m.ID).Find(ctx)
	if err != nil {
		return err
	}
	if len(admins) > 1 {
		return fault.Param("swapowner", "error.project_many_admins")
	}
	if err := s.IAM.SetMemberRole(ctx, m, iam.ProjectAdmin); err != nil {
		return err
	}
	for _, old := range admins {
		if err := s.IAM.SetMemberRole(ctx, old, iam.ProjectRegular); err != nil {
			return err
		}
	}
	return nil
}
