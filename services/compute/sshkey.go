package compute

import (
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"
	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// SSHKey is a public key that instances can be given.
type SSHKey struct {
	store.Row
	store.Owned
	Name        string
	Fingerprint string // MD5 in colons, as CloudStack shows it
	PublicKey   string
}

// TableName is the keys' table.
func (SSHKey) TableName() string { return "ssh_keys" }

// KeyView is a key pair as commands return it. The private key is there once,
// when Aerie made it.
type KeyView struct {
	ID string `json:"id"`
	Held
	Name        string `json:"name"`
	Fingerprint string `json:"fingerprint"`
	PrivateKey  string `json:"privatekey" secret:"true"`
}

// CreateKeyRequest asks for a new key pair.
type CreateKeyRequest struct {
	command.Owner
	Name string `json:"name" required:"true" doc:"name of the key pair"`
}

func keyMeta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "keypair", Event: event, Roles: command.Everyone, Doc: doc}
}

func (s *Service) createKeyCommand() *command.Command {
	return command.New(keyMeta("createSSHKeyPair", "SSH.KEYPAIR.CREATE", "Makes a key pair; the private key is shown once"),
		func(ctx context.Context, r CreateKeyRequest) (KeyView, error) {
			public, private, err := ed25519.GenerateKey(s.db.Rand())
			if err != nil {
				return KeyView{}, err
			}
			key, err := ssh.NewPublicKey(public)
			if err != nil {
				return KeyView{}, err
			}
			block, err := ssh.MarshalPrivateKey(private, r.Name)
			if err != nil {
				return KeyView{}, err
			}
			v, err := s.addKey(ctx, r.Owner, r.Name, key)
			v.PrivateKey = string(pem.EncodeToMemory(block))
			return v, err
		})
}

// RegisterKeyRequest brings a public key.
type RegisterKeyRequest struct {
	command.Owner
	Name      string `json:"name" required:"true" doc:"name of the key pair"`
	PublicKey string `json:"publickey" required:"true" max:"5120" doc:"the public key, as authorized_keys has it"`
}

func (s *Service) registerKeyCommand() *command.Command {
	return command.New(keyMeta("registerSSHKeyPair", "SSH.KEYPAIR.REGISTER", "Registers a public key under a name"),
		func(ctx context.Context, r RegisterKeyRequest) (KeyView, error) {
			key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(r.PublicKey))
			if err != nil || len(options) > 0 || strings.TrimSpace(string(rest)) != "" {
				return KeyView{}, fault.Param("publickey", "error.public_key")
			}
			return s.addKey(ctx, r.Owner, r.Name, key)
		})
}

func (s *Service) addKey(ctx context.Context, o command.Owner, name string, key ssh.PublicKey) (KeyView, error) {
	ctx, err := o.Resolve(ctx)
	if err != nil {
		return KeyView{}, err
	}
	if strings.Contains(name, ",") { // instances name their keys in a list
		return KeyView{}, fault.Param("name", "error.name_comma")
	}
	row := SSHKey{
		Row: store.Row{ID: s.db.NewID()}, Name: name, Fingerprint: ssh.FingerprintLegacyMD5(key),
		PublicKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))),
	}
	err = gorm.G[SSHKey](s.db.In(ctx)).Create(ctx, &row)
	if store.IsDuplicate(err) {
		return KeyView{}, fault.Param("name", "error.name_taken", "value", name)
	}
	if err != nil {
		return KeyView{}, err
	}
	views, err := s.keyViews(ctx, []SSHKey{row})
	if err != nil {
		return KeyView{}, err
	}
	return views[0], nil
}

func (s *Service) keyViews(ctx context.Context, keys []SSHKey) ([]KeyView, error) {
	var of []store.Owner
	for _, k := range keys {
		of = append(of, k.Owner())
	}
	owners, err := s.IAM.Owners(ctx, of)
	if err != nil {
		return nil, err
	}
	out := make([]KeyView, len(keys))
	for i, k := range keys {
		out[i] = KeyView{ID: k.ID, Held: Held{Belongs: owners(k.Owner())}, Name: k.Name, Fingerprint: k.Fingerprint}
	}
	return out, nil
}

// ListKeysRequest asks for key pairs.
type ListKeysRequest struct {
	command.Paging
	command.Scope
	ID          string `json:"id" type:"uuid" doc:"the key pair"`
	Name        string `json:"name" doc:"name of the key pair"`
	Fingerprint string `json:"fingerprint" doc:"fingerprint of the public key"`
}

func (s *Service) listKeysCommand() *command.Command {
	m := keyMeta("listSSHKeyPairs", "", "Lists key pairs")
	m.Object = "sshkeypair"
	return command.New(m, func(ctx context.Context, r ListKeysRequest) (command.List[KeyView], error) {
		q, err := r.Apply(ctx, s.db.In(ctx).Model(&SSHKey{}), r.ID)
		if err != nil {
			return command.List[KeyView]{}, err
		}
		for column, value := range map[string]string{"id": r.ID, "name": r.Name, "fingerprint": r.Fingerprint} {
			if value != "" {
				q = q.Where(column+" = ?", value)
			}
		}
		if r.Keyword != "" {
			q = q.Where("name LIKE ? ESCAPE '!'", store.Contains(r.Keyword))
		}
		keys, n, err := command.Rows[SSHKey](q, r.Paging, "name, id")
		if err != nil {
			return command.List[KeyView]{}, err
		}
		views, err := s.keyViews(ctx, keys)
		return command.List[KeyView]{Count: n, Items: views}, err
	})
}

// DeleteKeyRequest names a key pair to delete.
type DeleteKeyRequest struct {
	command.Owner
	Name string `json:"name" required:"true" doc:"name of the key pair"`
}

func (s *Service) deleteKeyCommand() *command.Command {
	m := keyMeta("deleteSSHKeyPair", "SSH.KEYPAIR.DELETE", "Deletes a key pair; instances keep what they were given")
	m.Object = ""
	return command.New(m, func(ctx context.Context, r DeleteKeyRequest) (command.Success, error) {
		ctx, err := r.Resolve(ctx)
		if err != nil {
			return command.Success{}, err
		}
		actor, _ := store.From(ctx)
		res := s.db.In(ctx).Unscoped().Where("name = ? AND account_id = ?", r.Name, actor.Target().AccountID).Delete(&SSHKey{})
		if res.Error == nil && res.RowsAffected == 0 {
			return command.Success{}, fault.Absent("name", r.Name)
		}
		return command.OK, res.Error
	})
}
