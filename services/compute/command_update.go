package compute

import (
	"context"
	"encoding/json"
	"errors"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
)

// UpdateRequest changes what may change of an instance.
type UpdateRequest struct {
	ID               string            `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	DisplayName      string            `json:"displayname" doc:"name for people"`
	Name             string            `json:"name" max:"63" doc:"host name; takes effect at the next start"`
	HA               *bool             `json:"haenable" doc:"whether the instance is restarted after a failure"`
	DisplayVM        *bool             `json:"displayvm" doc:"whether users see the instance"`
	Dynamic          *bool             `json:"isdynamicallyscalable" doc:"whether the instance may be resized while it runs"`
	DeleteProtection *bool             `json:"deleteprotection" doc:"whether destroying is refused"`
	UserData         string            `json:"userdata" max:"1048576" doc:"data for the guest, base64"`
	UserDataID       string            `json:"userdataid" ref:"userdata" finds:"true" doc:"data of the library for the guest, instead"`
	UserDataValues   map[string]string `json:"userdatadetails" doc:"values of the user data's variables"`
	Group            *string           `json:"group" doc:"name of an instance group; it is made if there is none; empty leaves the group"`
	LeaseDays        *int              `json:"leaseduration" min:"-1" max:"36500" doc:"days from now until the instance is stopped or destroyed by itself; -1 is never"`
	LeaseAction      string            `json:"leaseexpiryaction" enum:"STOP,DESTROY" doc:"what happens then"`
	Details          map[string]string `json:"details" doc:"free details of the instance"`
}

func (s *Service) updateCommand() *command.Command {
	return command.New(instance("updateVirtualMachine", "VM.UPDATE", "Changes the properties of an instance"), s.update)
}

func (s *Service) update(ctx context.Context, r UpdateRequest) (View, error) {
	vm, err := s.visible(ctx, r.ID)
	if err != nil {
		return View{}, err
	}
	set, err := s.changes(ctx, &vm, r)
	if err != nil {
		return View{}, err
	}
	set["updated_at"] = s.db.Now()
	if err := s.db.In(ctx).Model(&VM{}).Where("id = ?", vm.ID).Updates(set).Error; err != nil {
		return View{}, err
	}
	if data := (given{r.UserData, r.UserDataID, r.UserDataValues}); !data.none() || len(data.Values) > 0 {
		if err := s.setUserData(ctx, &vm, data); err != nil {
			return View{}, err
		}
	}
	if r.Name != "" {
		if err := s.touch(ctx, vm.ID); err != nil {
			return View{}, err
		}
	}
	after, err := s.Get(ctx, vm.ID)
	command.Changed(ctx, map[string]any{"name": vm.Name, "displayname": vm.DisplayName, "haenable": vm.HA, "deleteprotection": vm.DeleteProtection},
		map[string]any{"name": after.Name, "displayname": after.DisplayName, "haenable": after.HA, "deleteprotection": after.DeleteProtection})
	return after, err
}

func (s *Service) changes(ctx context.Context, vm *VM, r UpdateRequest) (map[string]any, error) {
	set := map[string]any{}
	if r.DisplayName != "" {
		set["display_name"] = r.DisplayName
	}
	for column, v := range map[string]*bool{"ha": r.HA, "display": r.DisplayVM, "dynamic": r.Dynamic, "delete_protection": r.DeleteProtection} {
		if v != nil {
			set[column] = *v
		}
	}
	if r.Name != "" && r.Name != vm.Name {
		if err := s.rename(ctx, vm, r.Name); err != nil {
			return nil, err
		}
		set["name"] = r.Name
	}
	if r.Group != nil {
		id, err := "", error(nil)
		if *r.Group != "" {
			id, err = s.joinGroup(ctx, vm.Owner(), *r.Group)
		}
		if err != nil {
			return nil, err
		}
		set["group_id"] = id
	}
	if r.LeaseDays != nil || r.LeaseAction != "" {
		l, err := s.leaseFrom(r.LeaseDays, r.LeaseAction, lease{Days: vm.LeaseDays, Action: vm.LeaseAction})
		if err != nil {
			return nil, err
		}
		set["lease_days"], set["lease_action"], set["lease_ends"] = l.Days, l.Action, l.Ends
	}
	if len(r.Details) > 0 {
		b, err := json.Marshal(r.Details)
		if err != nil {
			return nil, err
		}
		set["details"] = string(b)
	}
	return set, nil
}

// rename checks a new host name against the rules of a deployment.
func (s *Service) rename(ctx context.Context, vm *VM, name string) error {
	if !isHostName(name) {
		return fault.Param("name", "error.host_name", "value", name)
	}
	taken, err := gorm.G[VM](s.db.In(ctx)).Where("name = ? AND account_id = ? AND id <> ?", name, vm.AccountID, vm.ID).Count(ctx, "id")
	if err == nil && taken > 0 {
		err = fault.Param("name", "error.name_taken", "value", name)
	}
	return err
}

// touch tells the routers of an instance that its metadata changed.
func (s *Service) touch(ctx context.Context, vmID string) error {
	nics, err := s.Net.Of(ctx, vmID)
	if err != nil || len(nics) == 0 {
		return err
	}
	var ids []string
	for _, nic := range nics {
		ids = append(ids, nic.NetworkID)
	}
	return s.Net.Touch(ctx, ids...)
}

// PasswordRequest asks for a new password of the guest.
type PasswordRequest struct {
	ID       string `json:"id" ref:"virtualmachine" required:"true" doc:"the instance"`
	Password string `json:"password" secret:"true" doc:"the new password; a random one is made without it"`
}

// password is the state of the sagas that tell a router new metadata.
type password struct {
	VM   string
	Nets []string
}

func (s *Service) definePassword() {
	tell := func(ctx context.Context, p *password) error {
		var all error
		for _, id := range p.Nets {
			all = errors.Join(all, s.Net.Refresh(ctx, id))
		}
		return all
	}
	for _, kind := range []string{"vm.password", "vm.sshkey"} {
		job.Define(s.Jobs, kind, job.Do("router", tell, nil))
	}
}

func (s *Service) resetPasswordCommand() *command.Command {
	return command.Async(instance("resetPasswordForVirtualMachine", "VM.RESETPASSWORD",
		"Gives a stopped instance of a password-enabled template a new password, which it takes at its next start"),
		s.resetPassword, s.withPassword)
}

func (s *Service) resetPassword(ctx context.Context, r PasswordRequest) (job.Spec, error) {
	vm, err := s.visible(ctx, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if !vm.PasswordEnabled {
		return job.Spec{}, fault.Param("id", "error.no_password", "name", vm.DisplayName)
	}
	if vm.State != Stopped {
		return job.Spec{}, mustBeStopped(&vm, "reset password")
	}
	plain := r.Password
	if !drivers.IsLine(plain) {
		return job.Spec{}, fault.Param("password", "error.password_line")
	}
	if plain == "" {
		if plain, err = NewPassword(s.db.Rand()); err != nil {
			return job.Spec{}, err
		}
	}
	sealed, err := s.db.Seal(plain)
	if err != nil {
		return job.Spec{}, err
	}
	_, err = gorm.G[VM](s.db.In(ctx)).Where("id = ?", vm.ID).Select("password", "password_id").
		Updates(ctx, VM{Password: sealed, PasswordID: s.db.NewID()})
	if err != nil {
		return job.Spec{}, err
	}
	return s.tellJob(ctx, &vm, "vm.password")
}
