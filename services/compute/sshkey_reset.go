package compute

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
)

// keysOf finds an owner's keys by their names: as an instance lists the names,
// and the lines of authorized_keys.
func (s *Service) keysOf(ctx context.Context, o store.Owner, one string, more []string) (names []string, lines string, err error) {
	param := "keypairs"
	if one != "" {
		param, more = "keypair", append([]string{one}, more...)
	}
	if len(more) == 0 {
		return nil, "", nil
	}
	keys, err := gorm.G[SSHKey](s.db.In(ctx)).Where("name IN ? AND account_id = ?", more, o.AccountID).Find(ctx)
	if err != nil {
		return nil, "", err
	}
	found := map[string]SSHKey{}
	for _, k := range keys {
		found[strings.ToLower(k.Name)] = k
	}
	seen := map[string]bool{}
	for _, name := range more {
		key, ok := found[strings.ToLower(name)]
		if !ok {
			return nil, "", fault.Param(param, "error.no_key_pair", "value", name)
		}
		if !seen[key.ID] {
			seen[key.ID] = true
			names, lines = append(names, key.Name), lines+strings.TrimSpace(key.PublicKey)+"\n"
		}
	}
	if len(strings.Join(names, ",")) > mostKeyNames {
		return nil, "", fault.Param(param, "error.too_long", "max", mostKeyNames)
	}
	return names, lines, nil
}

// mostKeyNames is how many characters the names of an instance's keys take.
const mostKeyNames = 1000

// ResetKeyRequest gives an instance other keys.
type ResetKeyRequest struct {
	command.Owner
	ID       string   `json:"id" ref:"virtualmachine" required:"true" doc:"the instance, stopped"`
	KeyPair  string   `json:"keypair" doc:"name of the key pair"`
	KeyPairs []string `json:"keypairs" doc:"names of several key pairs"`
}

func (s *Service) resetKeyCommand() *command.Command {
	return command.Async(instance("resetSSHKeyForVirtualMachine", "VM.RESETSSHKEY",
		"Gives a stopped instance other SSH keys, which its guest takes at the next start"), s.resetKey, s.Get)
}

func (s *Service) resetKey(ctx context.Context, r ResetKeyRequest) (job.Spec, error) {
	if _, err := r.Resolve(ctx); err != nil {
		return job.Spec{}, err
	}
	vm, err := s.visible(ctx, r.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if r.KeyPair == "" && len(r.KeyPairs) == 0 {
		return job.Spec{}, fault.Param("keypair", "error.required", "command", "resetsshkeyforvirtualmachine")
	}
	names, lines, err := s.keysOf(ctx, vm.Owner(), r.KeyPair, r.KeyPairs)
	if err != nil {
		return job.Spec{}, err
	}
	n, err := gorm.G[VM](s.db.In(ctx)).Where("id = ? AND state = ?", vm.ID, Stopped).Select("key_pairs", "public_keys", "updated_at").
		Updates(ctx, VM{KeyPairs: strings.Join(names, ","), PublicKeys: lines, UpdatedAt: new(s.db.Now())})
	if err != nil {
		return job.Spec{}, err
	}
	if n == 0 {
		return job.Spec{}, mustBeStopped(&vm, "reset SSH key")
	}
	return s.tellJob(ctx, &vm, "vm.sshkey")
}

// tellJob is the job that tells an instance's routers of new metadata.
func (s *Service) tellJob(ctx context.Context, vm *VM, kind string) (job.Spec, error) {
	if err := s.touch(ctx, vm.ID); err != nil {
		return job.Spec{}, err
	}
	st := password{VM: vm.ID}
	nics, err := s.Net.Of(ctx, vm.ID)
	for _, nic := range nics {
		st.Nets = append(st.Nets, nic.NetworkID)
	}
	return job.Spec{Kind: kind, Entity: vm.Entity(), Object: "VirtualMachine", ObjectID: vm.ID, Owner: vm.Owner(), State: st}, err
}
