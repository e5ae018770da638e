package compute

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/image"
	"aerie/services/store"
)

func userDataMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "userdata", Event: event, Roles: command.Everyone, Doc: doc}
}

// RegisterUserDataRequest is a new entry of the library.
type RegisterUserDataRequest struct {
	command.Owner
	Name    string `json:"name" required:"true" doc:"name of the entry"`
	Content string `json:"userdata" required:"true" max:"1048576" doc:"data for guests, base64"`
	Params  string `json:"params" max:"4096" doc:"names of its variables, comma-separated; guests find their values in the metadata"`
}

func (s *Service) registerUserDataCommand() *command.Command {
	m := userDataMeta("registerUserData", "REGISTER.USER.DATA", "Keeps data for guests under a name")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r RegisterUserDataRequest) (command.Success, error) {
		ctx, err := r.Resolve(ctx)
		if err != nil {
			return command.Success{}, err
		}
		raw, err := s.content(ctx, "userdata", r.Content)
		if err != nil {
			return command.Success{}, err
		}
		if len(raw) == 0 {
			return command.Success{}, fault.Param("userdata", "error.required", "command", "registeruserdata")
		}
		names, err := variables(r.Params)
		if err != nil {
			return command.Success{}, err
		}
		u := UserData{Row: store.Row{ID: s.db.NewID()}, Name: r.Name, Params: strings.Join(names, ","), Content: r.Content}
		return command.OK, s.addNamed(ctx, &u, r.Name)
	})
}

// ListUserDataRequest asks for entries of the library.
type ListUserDataRequest struct {
	command.Paging
	command.Scope
	ID   string `json:"id" ref:"userdata" doc:"the entry"`
	Name string `json:"name" doc:"name of the entry, as a whole"`
}

func (s *Service) listUserDataCommand() *command.Command {
	return command.New(userDataMeta("listUserData", "", "Lists the library of data for guests"),
		func(ctx context.Context, r ListUserDataRequest) (out command.List[UserDataView], err error) {
			q, err := r.Apply(ctx, s.db.In(ctx).Model(&UserData{}), r.ID)
			if err != nil {
				return out, err
			}
			q = command.Named(command.Equal(q, "id", r.ID), "name", r.Name)
			list, n, err := command.Rows[UserData](r.Search(q, "name"), r.Paging, "name, id")
			if err != nil {
				return out, err
			}
			var of []store.Owner
			for _, u := range list {
				of = append(of, u.Owner())
			}
			owners, err := s.IAM.Owners(ctx, of)
			if err != nil {
				return out, err
			}
			return command.ListOf(list, n, func(u UserData) UserDataView {
				return UserDataView{
					ID: u.ID, Held: Held{Belongs: owners(u.Owner())}, AccountID: u.AccountID, Name: u.Name, Params: u.Params, Content: u.Content,
				}
			}), nil
		})
}

// DeleteUserDataRequest names an entry of the library.
type DeleteUserDataRequest struct {
	command.Owner
	ID string `json:"id" ref:"userdata" required:"true" doc:"the entry"`
}

func (s *Service) deleteUserDataCommand() *command.Command {
	m := userDataMeta("deleteUserData", "DELETE.USER.DATA", "Removes data for guests that no instance and no template uses")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r DeleteUserDataRequest) (command.Success, error) {
		if _, err := r.Resolve(ctx); err != nil {
			return command.Success{}, err
		}
		u, err := store.Hold[UserData](ctx, s.db, r.ID)
		if err != nil {
			return command.Success{}, named(err, "id", r.ID)
		}
		g := s.db.In(store.System(ctx, "who uses user data"))
		for _, use := range []struct {
			what  string
			model any
		}{{"templates", &image.Template{}}, {"instances", &VM{}}} {
			var n int64
			if err := g.Model(use.model).Where("user_data_id = ?", u.ID).Count(&n).Error; err != nil {
				return command.Success{}, err
			}
			if n > 0 {
				return command.Success{}, fault.New(fault.InUse, "error.userdata_used."+use.what, "name", u.Name, "n", n)
			}
		}
		return command.OK, s.db.In(ctx).Unscoped().Where("id = ?", u.ID).Delete(&UserData{}).Error
	})
}

// LinkUserDataRequest links a template to an entry of the library.
type LinkUserDataRequest struct {
	TemplateID string `json:"templateid" ref:"template" doc:"the template"`
	ISOID      string `json:"isoid" ref:"template" doc:"refused: there are no ISOs"`
	UserDataID string `json:"userdataid" ref:"userdata" doc:"the entry; the link is taken off without"`
	Policy     string `json:"userdatapolicy" enum:"ALLOWOVERRIDE,APPEND,DENYOVERRIDE" doc:"whether deployments may bring data of their own: instead of it (ALLOWOVERRIDE, the default), beside it (APPEND), or not (DENYOVERRIDE)"`
}

func (s *Service) linkUserDataCommand() *command.Command {
	m := command.Meta{
		Name: "linkUserDataToTemplate", Object: "template", Event: "TEMPLATE.LINK.USERDATA", Roles: command.Everyone,
		Doc: "Links a template to data that guests of it get",
	}
	return command.New(m, s.linkUserData)
}

func (s *Service) linkUserData(ctx context.Context, r LinkUserDataRequest) (image.View, error) {
	switch {
	case r.ISOID != "":
		return image.View{}, fault.Param("isoid", "error.no_isos")
	case r.TemplateID == "":
		return image.View{}, fault.Param("templateid", "error.required", "command", "linkuserdatatotemplate")
	}
	t, err := store.Find[image.Template](ctx, s.db, r.TemplateID)
	if err != nil {
		return image.View{}, named(err, "templateid", r.TemplateID)
	}
	actor, _ := store.From(ctx)
	if !actor.Sees(t.Owner()) {
		return image.View{}, fault.New(fault.Forbidden, "error.template_foreign", "param", "templateid", "value", t.ID)
	}
	policy := ""
	if r.UserDataID != "" {
		u, err := store.Hold[UserData](ctx, s.db, r.UserDataID)
		if err != nil {
			return image.View{}, named(err, "userdataid", r.UserDataID)
		}
		if u.AccountID != t.AccountID {
			return image.View{}, fault.Param("userdataid", "error.userdata_owner", "name", u.Name)
		}
		policy = or(r.Policy, AllowOverride)
	}
	_, err = gorm.G[image.Template](s.db.In(ctx)).Where("id = ?", t.ID).Select("user_data_id", "user_data_policy").
		Updates(ctx, image.Template{UserDataID: r.UserDataID, UserDataPolicy: policy})
	if err != nil {
		return image.View{}, err
	}
	return s.Images.Get(ctx, t.ID)
}

// libraryOf tells of entries that templates are linked to.
func (s *Service) libraryOf(ctx context.Context, ids []string) (map[string]image.Linked, error) {
	ctx = store.System(ctx, "user data of templates that the actor sees")
	list, err := gorm.G[UserData](s.db.In(ctx)).Where("id IN ?", ids).Select("id", "name", "params").Find(ctx)
	out := map[string]image.Linked{}
	for _, u := range list {
		out[u.ID] = image.Linked{Name: u.Name, Params: u.Params}
	}
	return out, err
}

// ResetUserDataRequest gives an instance other user data.
type ResetUserDataRequest struct {
	command.Owner
	ID         string            `json:"id" ref:"virtualmachine" required:"true" doc:"the instance, stopped"`
	Content    string            `json:"userdata" max:"1048576" doc:"data for the guest, base64"`
	UserDataID string            `json:"userdataid" ref:"userdata" doc:"data of the library, instead"`
	Values     map[string]string `json:"userdatadetails" doc:"values of the data's variables"`
}

func (s *Service) resetUserDataCommand() *command.Command {
	return command.New(instance("resetUserDataForVirtualMachine", "VM.RESETUSERDATA",
		"Gives a stopped instance other user data; without any it gets that of its template"), s.resetUserData)
}

func (s *Service) resetUserData(ctx context.Context, r ResetUserDataRequest) (View, error) {
	if _, err := r.Resolve(ctx); err != nil {
		return View{}, err
	}
	vm, err := s.visible(ctx, r.ID)
	if err != nil {
		return View{}, err
	}
	if vm.State != Stopped {
		return View{}, mustBeStopped(&vm, "reset user data")
	}
	if err := s.setUserData(ctx, &vm, given{r.Content, r.UserDataID, r.Values}); err != nil {
		return View{}, err
	}
	return s.Get(ctx, vm.ID)
}

// setUserData gives an instance what a request and its template say, and tells
// its routers.
func (s *Service) setUserData(ctx context.Context, vm *VM, g given) error {
	var t image.Template
	sys := store.System(ctx, "the template of an instance, which may be removed")
	if err := s.db.In(sys).Unscoped().Where("id = ?", vm.TemplateID).Take(&t).Error; err != nil {
		return err
	}
	data, err := s.settle(ctx, vm.Owner(), g, t)
	if err != nil {
		return err
	}
	set := map[string]any{"user_data": data.Content, "user_data_id": data.ID, "user_data_params": nil, "updated_at": s.db.Now()}
	if data.Values != "" {
		set["user_data_params"] = data.Values
	}
	if err := s.db.In(ctx).Model(&VM{}).Where("id = ?", vm.ID).Updates(set).Error; err != nil {
		return err
	}
	return s.touch(ctx, vm.ID)
}

// UserDataRequest names an instance.
type UserDataRequest struct {
	VMID string `json:"virtualmachineid" ref:"virtualmachine" required:"true" doc:"the instance"`
}

// VMUserData is an instance's user data as commands return it.
type VMUserData struct {
	VMID    string `json:"virtualmachineid"`
	Content string `json:"userdata"`
}

func (s *Service) getUserDataCommand() *command.Command {
	m := command.Meta{Name: "getVirtualMachineUserData", Object: "virtualmachineuserdata", Roles: command.Everyone, Doc: "Returns the user data of an instance"}
	return command.New(m, func(ctx context.Context, r UserDataRequest) (VMUserData, error) {
		vm, err := s.visible(ctx, r.VMID)
		if err != nil {
			return VMUserData{}, named(err, "virtualmachineid", r.VMID)
		}
		return VMUserData{vm.ID, vm.UserData}, nil
	})
}
