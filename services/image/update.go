package image

import (
	"context"
	"encoding/json"
	"maps"
	"strings"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/fault"
	"aerie/services/store"
)

// UpdateRequest changes what may change of a template.
type UpdateRequest struct {
	ID          string            `json:"id" ref:"template" required:"true" doc:"the template"`
	Name        string            `json:"name" doc:"name of the template"`
	DisplayText *string           `json:"displaytext" max:"4096" doc:"description"`
	OSTypeID    string            `json:"ostypeid" ref:"ostype" doc:"the guest's operating system"`
	ForceOS     bool              `json:"forceupdateostype" doc:"true changes the operating system of instances that were made from it as well"`
	Password    *bool             `json:"passwordenabled" doc:"whether the guest takes its password from Aerie"`
	SSHKey      *bool             `json:"sshkeyenabled" doc:"whether the guest takes SSH keys"`
	Scalable    *bool             `json:"isdynamicallyscalable" doc:"whether instances may be resized while they run"`
	RequiresHVM *bool             `json:"requireshvm" doc:"whether it needs hardware virtualization"`
	Arch        string            `json:"arch" enum:"x86_64,aarch64" doc:"the processor"`
	Tag         *string           `json:"templatetag" doc:"a tag that hosts must carry; administrators only"`
	Details     map[string]string `json:"details" doc:"free details, instead of those it has"`
	Cleanup     bool              `json:"cleanupdetails" doc:"true takes all details away"`
	SortKey     *int              `json:"sortkey" doc:"its place in lists, the least first"`
	Format      string            `json:"format" doc:"the format that it has: an image does not change"`
	Bootable    *bool             `json:"bootable" doc:"true: every template is"`
	Kubernetes  bool              `json:"forcks" doc:"not supported yet"`
	Routing     bool              `json:"isrouting" doc:"not supported yet"`
	Type        string            `json:"templatetype" doc:"the type that it has"`
}

func (s *Service) updateCommand() *command.Command {
	return command.New(meta("updateTemplate", "TEMPLATE.UPDATE", "Changes the properties of a template"), s.update)
}

func (s *Service) update(ctx context.Context, r UpdateRequest) (View, error) {
	t, err := store.Find[Template](ctx, s.db, r.ID)
	if err != nil {
		return View{}, err
	}
	actor, _ := store.From(ctx)
	if !actor.Sees(t.Owner()) { // public ones are visible, not one's own
		return View{}, fault.Absent("id", r.ID)
	}
	command.About(ctx, event.Resource{Kind: "template", ID: t.ID, Name: t.Name}, t.Owner())
	if err := r.allowed(ctx, t); err != nil {
		return View{}, err
	}
	set, err := r.changes()
	if err != nil {
		return View{}, err
	}
	if err := s.retype(ctx, t, r, set); err != nil {
		return View{}, err
	}
	if len(set) > 0 {
		if err := s.db.In(ctx).Model(&Template{}).Where("id = ?", t.ID).Updates(set).Error; err != nil {
			return View{}, err
		}
	}
	before := map[string]any{"name": t.Name, "ostypeid": t.OSTypeID, "passwordenabled": t.PasswordEnabled, "sshkeyenabled": t.SSHKeyEnabled}
	after, err := s.Get(ctx, t.ID)
	command.Changed(ctx, before, map[string]any{"name": after.Name, "ostypeid": after.OSTypeID, "passwordenabled": after.Password, "sshkeyenabled": after.SSHKey})
	return after, err
}

// allowed refuses what cannot be honoured.
func (r UpdateRequest) allowed(ctx context.Context, t Template) error {
	actor, _ := store.From(ctx)
	switch {
	case r.Tag != nil && *r.Tag != t.Tag && !actor.IsSystem() && actor.Rank != store.Admin:
		return fault.Param("templatetag", "error.admin_only")
	case r.Format != "" && !strings.EqualFold(r.Format, t.Format):
		return fault.Param("format", "error.choice", "value", r.Format, "choices", t.Format)
	case r.Type != "" && !strings.EqualFold(r.Type, t.Type):
		return fault.Param("templatetype", "error.choice", "value", r.Type, "choices", t.Type)
	case r.Bootable != nil && !*r.Bootable:
		return fault.Param("bootable", "error.not_yet")
	case r.Kubernetes:
		return fault.Param("forcks", "error.not_yet")
	case r.Routing:
		return fault.Param("isrouting", "error.not_yet")
	case r.Cleanup && len(r.Details) > 0:
		return fault.Param("cleanupdetails", "error.details_both")
	}
	return nil
}

func (r UpdateRequest) changes() (map[string]any, error) {
	set := map[string]any{}
	for column, v := range map[string]string{"name": r.Name, "arch": r.Arch} {
		if v != "" {
			set[column] = v
		}
	}
	for column, v := range map[string]*string{"display_text": r.DisplayText, "tag": r.Tag} {
		if v != nil {
			set[column] = *v
		}
	}
	for column, v := range map[string]*bool{"password_enabled": r.Password, "ssh_key_enabled": r.SSHKey, "scalable": r.Scalable, "requires_hvm": r.RequiresHVM} {
		if v != nil {
			set[column] = *v
		}
	}
	if r.SortKey != nil {
		set["sort_key"] = *r.SortKey
	}
	if !r.Cleanup && len(r.Details) == 0 {
		return set, nil
	}
	details := map[string]string{}
	maps.Copy(details, r.Details)
	b, err := json.Marshal(details)
	set["details"] = string(b)
	return set, err
}

// retype changes the operating system, of instances only when they are meant.
func (s *Service) retype(ctx context.Context, t Template, r UpdateRequest, set map[string]any) error {
	os, err := s.osType(ctx, r.OSTypeID)
	if err != nil || os.ID == "" || os.ID == t.OSTypeID {
		return err
	}
	set["os_type_id"], set["os_type"] = os.ID, os.DisplayName
	if s.Retype == nil {
		return nil
	}
	n, err := s.Retype(store.System(ctx, "instances of a template, whoever has them"), t.ID, os, r.ForceOS)
	if err == nil && n > 0 && !r.ForceOS {
		err = fault.Param("ostypeid", "error.template_used", "name", t.Name, "n", n)
	}
	return err
}
