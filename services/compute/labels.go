package compute

import (
	"context"
	"encoding/json"

	"aerie/services/label"
	"aerie/services/store"
)

// Kinds tell label what here carries labels.
func (s *Service) Kinds(l *label.Service) {
	l.Kind(label.Kind{
		Name: "UserVm", Entity: "VM", Can: label.Tags | label.Details | label.Icons, Model: &VM{}, Column: "display_name",
		Find: func(ctx context.Context, id string) (label.Found, error) {
			vm, err := s.visible(ctx, id) // what is destroyed is gone for users
			return label.Found{ID: id, Name: vm.DisplayName, Owner: vm.Owner()}, err
		},
		Own:     &label.OwnDetails{Read: s.details, Write: s.setDetails},
		Options: sizeDetails(),
	})
	l.Kind(label.Kind{
		Name: "ServiceOffering", Entity: "SERVICE_OFFERING", Can: label.Details, Model: &Offering{}, Column: "name",
		Find: label.Operators(s.db, func(o Offering) string { return o.Name }),
	})
	l.Kind(label.Kind{
		Name: "SSHKeyPair", Entity: "SSH_KEYPAIR", Model: &SSHKey{}, Column: "name", Find: label.Owned(s.db, func(k SSHKey) string { return k.Name }),
	})
	l.Kind(label.Kind{
		Name: "InstanceGroup", Entity: "INSTANCE_GROUP", Model: &Group{}, Column: "name", Find: label.Owned(s.db, func(g Group) string { return g.Name }),
	})
	l.Kind(label.Kind{
		Name: "UserData", Entity: "USER_DATA", Model: &UserData{}, Column: "name", Find: label.Owned(s.db, func(u UserData) string { return u.Name }),
	})
}

func (s *Service) details(ctx context.Context, id string) (map[string]string, error) {
	vm, err := store.Find[VM](ctx, s.db, id)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	err = json.Unmarshal([]byte(vm.Details), &out)
	return out, err
}

func (s *Service) setDetails(ctx context.Context, id string, details map[string]string) error {
	b, err := json.Marshal(details)
	if err != nil {
		return err
	}
	return s.db.In(ctx).Model(&VM{}).Where("id = ?", id).Updates(map[string]any{"details": string(b), "updated_at": s.db.Now()}).Error
}

// sizeDetails are the details that choose the size of a custom offering; each
// takes any number within the offering's bounds.
func sizeDetails() map[string][]string {
	return map[string][]string{"cpuNumber": nil, "cpuSpeed": nil, "memory": nil}
}
