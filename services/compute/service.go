package compute

import (
	"context"
	"net/url"

	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// Parts is what the service stands on.
type Parts struct {
	DB       *store.DB
	Jobs     *job.Engine
	Fleet    *infra.Fleet
	IAM      *iam.Service
	Images   *image.Service
	Net      *network.Service
	Storage  *storage.Service
	Settings *Settings
	// Origin is where the portal is reached, for links.
	Origin func(context.Context) *url.URL
}

// Service runs instances.
type Service struct {
	Parts
	db *store.DB
}

// New makes the service and defines its sagas.
func New(p Parts) *Service {
	s := &Service{Parts: p, db: p.DB}
	p.Net.Guests, p.Net.Busy, p.Storage.Instances = s.guests, s.busy, s.instances
	p.Storage.Count(p.IAM)
	p.Images.Retype = s.retype
	s.counts()
	s.countTags()
	p.IAM.OnDeleteAccount = append(p.IAM.OnDeleteAccount, s.dropKeys)
	s.wipes()
	s.defineDeploy()
	s.defineCreate()
	s.defineStart()
	s.defineStop()
	s.defineReboot()
	s.defineDestroy()
	s.defineExpunge()
	s.definePassword()
	s.defineWritten()
	p.Images.UserData, p.Storage.MayTag = s.libraryOf, s.MayTag
	return s
}
