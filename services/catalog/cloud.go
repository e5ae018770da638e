package catalog

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // CloudStack's clients check HMAC-SHA1
	"encoding/base64"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/store"
)

// CloudView is the cloud's name for itself, signed for a user.
type CloudView struct {
	Cloud     string `json:"cloudidentifier" doc:"the id of this cloud"`
	Signature string `json:"signature" doc:"HMAC-SHA1 of the id with the user's secret key, base64"`
	UserID    string `json:"userid" doc:"the user"`
}

// CloudRequest names a user.
type CloudRequest struct {
	UserID string `json:"userid" ref:"user" required:"true" doc:"the user"`
}

func (s *Service) cloudCommand() *command.Command {
	return command.New(command.Meta{
		Name: "getCloudIdentifier", Object: "cloudidentifier", Roles: command.Everyone, Doc: "Tells the id of this cloud, signed with a user's secret key",
	}, s.cloud)
}

func (s *Service) cloud(ctx context.Context, r CloudRequest) (CloudView, error) {
	u, err := s.iam.UserByID(ctx, r.UserID)
	if err != nil {
		return CloudView{}, err
	}
	keys, err := s.iam.KeysOf(ctx, u.ID)
	if err != nil {
		return CloudView{}, err
	}
	secret, err := s.db.Reveal(keys.SecretKey)
	if err != nil {
		return CloudView{}, err
	}
	if secret == "" {
		return CloudView{}, fault.Param("userid", "error.no_keys", "name", u.Username)
	}
	id, err := s.cloudID(ctx)
	if err != nil {
		return CloudView{}, err
	}
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(id))
	return CloudView{Cloud: id, Signature: base64.StdEncoding.EncodeToString(mac.Sum(nil)), UserID: u.ID}, nil
}

// cloudID is made when it is first asked for, and then stays.
func (s *Service) cloudID(ctx context.Context) (string, error) {
	r, err := s.region(ctx, own)
	if err != nil || r.CloudID != "" {
		return r.CloudID, err
	}
	err = s.db.Tx(store.System(ctx, "the id of this cloud"), func(ctx context.Context) error {
		set := s.db.In(ctx).Model(&Region{}).Where("id = ? AND cloud_id = ''", own).Update("cloud_id", s.db.NewID())
		if set.Error != nil {
			return set.Error
		}
		r, err = s.region(ctx, own)
		return err
	})
	return r.CloudID, err
}
