package storage

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// CreateOfferingRequest is a new disk offering.
type CreateOfferingRequest struct {
	Name        string            `json:"name" required:"true" doc:"name of the offering"`
	DisplayText string            `json:"displaytext" max:"4096" doc:"description; the name without it"`
	SizeGiB     int64             `json:"disksize" min:"0" max:"64000" doc:"size in GiB, of an offering that is not customized"`
	Customized  bool              `json:"customized" doc:"true lets users choose the size"`
	Strict      bool              `json:"disksizestrictness" doc:"true keeps volumes of it from being resized"`
	Tags        string            `json:"tags" max:"4096" doc:"tags that a pool must carry"`
	Display     *bool             `json:"displayoffering" doc:"false hides the offering from users"`
	DomainIDs   []string          `json:"domainid" ref:"domain" doc:"the domains that may use it; all without. Administrators of domains name their own"`
	ZoneIDs     []string          `json:"zoneid" ref:"zone" doc:"the zones in which it may be used; all without"`
	Details     map[string]string `json:"details" doc:"free details of the offering"`
	Encrypt     bool              `json:"encrypt" doc:"refused: volumes are not encrypted yet"`

	DiskRequest
}

func (s *Service) createOfferingCommand() *command.Command {
	return command.New(offeringMeta("createDiskOffering", "DISK.OFFERING.CREATE", "Adds a disk offering"), s.createOffering)
}

func (s *Service) createOffering(ctx context.Context, r CreateOfferingRequest) (OfferingView, error) {
	o, err := r.offering()
	if err != nil {
		return OfferingView{}, err
	}
	if err := infra.MayOffer(ctx, s.db, r.DomainIDs); err != nil {
		return OfferingView{}, err
	}
	if err := s.mayTag(ctx, "tags", o.Tags); err != nil {
		return OfferingView{}, err
	}
	o.ID = s.db.NewID()
	if err := gorm.G[Offering](s.db.In(ctx)).Create(ctx, &o); err != nil {
		return OfferingView{}, err
	}
	return s.offeringView(ctx, o.ID)
}

// offering is the row that the request describes.
func (r CreateOfferingRequest) offering() (o Offering, err error) {
	switch {
	case r.Encrypt:
		return o, fault.Param("encrypt", "error.no_encryption")
	case r.Customized && r.SizeGiB > 0:
		return o, fault.Param("disksize", "error.disk_customized")
	case !r.Customized && r.SizeGiB == 0:
		return o, fault.Param("disksize", "error.required", "command", "creatediskoffering")
	}
	o = Offering{
		Name: r.Name, DisplayText: or(r.DisplayText, r.Name), Bytes: r.SizeGiB << 30, Customized: r.Customized, Strict: r.Strict,
		StorageType: or(r.StorageType, "shared"), Provisioning: "thin", Tags: infra.CleanTags(r.Tags), State: "Active",
		Display: r.Display == nil || *r.Display, DomainIDs: strings.Join(r.DomainIDs, ","), ZoneIDs: strings.Join(r.ZoneIDs, ","),
	}
	if o.Limits, err = r.DiskRequest.Limits(); err != nil {
		return o, err
	}
	o.Details, err = infra.KeepDetails("details", r.Details)
	return o, err
}

// mayTag refuses tags of who may not say where things go.
func (s *Service) mayTag(ctx context.Context, param, tags string) error {
	actor, _ := store.From(ctx)
	if tags == "" || s.MayTag == nil || s.MayTag(ctx, actor) {
		return nil
	}
	return fault.Param(param, "error.offering_tags")
}
