package image

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"gorm.io/gorm"

	"aerie/services/catalog"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/store"
)

// RegisterRequest brings an image from an address.
type RegisterRequest struct {
	command.Owner
	Name        string            `json:"name" required:"true" doc:"name of the template"`
	DisplayText string            `json:"displaytext" max:"4096" doc:"description; the name without it"`
	URL         string            `json:"url" required:"true" max:"2048" doc:"http or https address of the image"`
	Format      string            `json:"format" required:"true" doc:"QCOW2 or RAW"`
	Hypervisor  string            `json:"hypervisor" required:"true" doc:"the hypervisor that can run it"`
	ZoneID      string            `json:"zoneid" type:"uuid" doc:"the zone that gets it; -1 for all"`
	ZoneIDs     []string          `json:"zoneids" ref:"zone" doc:"the zones that get it"`
	Arch        string            `json:"arch" doc:"x86_64"`
	Bits        *int              `json:"bits" doc:"32 or 64"`
	Checksum    string            `json:"checksum" doc:"{SHA-256}… of the file"`
	Public      bool              `json:"ispublic" doc:"whether everybody may use it"`
	Featured    bool              `json:"isfeatured" doc:"whether it is recommended; administrators only"`
	Extractable bool              `json:"isextractable" doc:"whether it may be downloaded"`
	Password    bool              `json:"passwordenabled" doc:"whether the guest takes its password from Aerie"`
	SSHKey      bool              `json:"sshkeyenabled" doc:"whether the guest takes SSH keys"`
	Scalable    bool              `json:"isdynamicallyscalable" doc:"whether instances may be resized while they run"`
	RequiresHVM *bool             `json:"requireshvm" doc:"whether it needs hardware virtualization"`
	OSTypeID    string            `json:"ostypeid" ref:"ostype" doc:"the guest's operating system"`
	Tag         string            `json:"templatetag" doc:"a tag that hosts must carry"`
	Details     map[string]string `json:"details" doc:"free details"`
}

func meta(name, event, doc string) command.Meta {
	return command.Meta{Name: name, Object: "template", Event: event, Roles: command.Everyone, Doc: doc}
}

func (s *Service) registerCommand() *command.Command {
	m := meta("registerTemplate", "TEMPLATE.CREATE", "Registers an image by its address and downloads it")
	m.ListLike = true
	return command.New(m, s.register)
}

func (s *Service) register(ctx context.Context, r RegisterRequest) (View, error) {
	ctx, err := r.Resolve(ctx)
	if err != nil {
		return View{}, err
	}
	if err := r.check(ctx); err != nil {
		return View{}, err
	}
	zones, err := s.zonesFor(ctx, r)
	if err != nil {
		return View{}, err
	}
	os, err := s.osType(ctx, r.OSTypeID)
	if err != nil {
		return View{}, err
	}
	details, err := json.Marshal(r.Details)
	if err != nil {
		return View{}, err
	}
	t := Template{
		Row: store.Row{ID: s.db.NewID()}, Name: r.Name, DisplayText: or(r.DisplayText, r.Name), URL: r.URL,
		Format: strings.ToUpper(r.Format), Hypervisor: r.Hypervisor, Type: "USER", Arch: or(r.Arch, "x86_64"), Bits: 64, Checksum: r.Checksum,
		Public: r.Public, Featured: r.Featured, Extractable: r.Extractable, PasswordEnabled: r.Password, SSHKeyEnabled: r.SSHKey,
		Scalable: r.Scalable, RequiresHVM: r.RequiresHVM == nil || *r.RequiresHVM, Tag: r.Tag, Details: string(details),
		OSType: os.DisplayName, OSTypeID: os.ID,
	}
	actor, _ := store.From(ctx)
	if err := s.parts.IAM.ReserveAll(ctx, actor.Target(), iam.Amounts{iam.Templates: 1}); err != nil {
		return View{}, err
	}
	if err := gorm.G[Template](s.db.In(ctx)).Create(ctx, &t); err != nil {
		return View{}, err
	}
	for _, z := range zones {
		if err := s.bring(ctx, t, z); err != nil {
			return View{}, err
		}
	}
	return s.Get(ctx, t.ID)
}

// osType finds what a request says of the guest; nothing is nothing known.
func (s *Service) osType(ctx context.Context, id string) (catalog.Type, error) {
	if id == "" || id == "-1" {
		return catalog.Type{}, nil
	}
	return catalog.Find(ctx, s.db, "ostypeid", id)
}

// check refuses what could never work before a byte is fetched.
func (r RegisterRequest) check(ctx context.Context) error {
	u, err := url.Parse(r.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fault.Param("url", "error.url", "value", r.URL)
	}
	if f := strings.ToUpper(r.Format); f != "QCOW2" && f != "RAW" {
		return fault.Param("format", "error.choice", "value", r.Format, "choices", "QCOW2, RAW")
	}
	if r.Checksum != "" {
		if _, _, err := splitSum(r.Checksum); err != nil {
			return err
		}
	}
	actor, _ := store.From(ctx)
	if r.Featured && actor.Rank != store.Admin {
		return fault.Param("isfeatured", "error.admin_only")
	}
	return nil
}

// zonesFor are the zones that get the template: those named, or all.
func (s *Service) zonesFor(ctx context.Context, r RegisterRequest) ([]infra.Zone, error) {
	ids := r.ZoneIDs
	if r.ZoneID != "" && r.ZoneID != "-1" {
		ids = append(ids, r.ZoneID)
	}
	g := s.db.In(ctx)
	q := gorm.G[infra.Zone](g).Order("id")
	if len(ids) > 0 {
		q = q.Where("id IN ?", ids)
	}
	zones, err := q.Find(ctx)
	if err == nil && (len(zones) == 0 || len(ids) > 0 && len(zones) < len(ids)) {
		err = fault.Absent("zoneid", or(r.ZoneID, strings.Join(ids, ",")))
	}
	return zones, err
}

// bring writes the copy of a zone's image store and starts its download.
func (s *Service) bring(ctx context.Context, t Template, z infra.Zone) error {
	sys := store.System(ctx, "an image store for a template")
	secondary, err := gorm.G[infra.ImageStore](s.db.In(sys)).Where("zone_id IN ? AND read_only = ?", []string{z.ID, ""}, false).Order("used, id").Take(sys)
	if store.IsAbsent(err) {
		return fault.New(fault.NoCapacity, "error.no_image_store", "zone", z.Name)
	}
	if err != nil {
		return err
	}
	c := Copy{ID: s.db.NewID(), CreatedAt: s.db.Now(), TemplateID: t.ID, ZoneID: z.ID, StoreID: secondary.ID, State: Downloading}
	if err := gorm.G[Copy](s.db.In(ctx)).Create(ctx, &c); err != nil {
		return err
	}
	_, err = s.parts.Jobs.Submit(ctx, job.Spec{
		Kind: "template.download", Entity: "template/" + c.ID, Object: "Template", ObjectID: t.ID, ObjectName: t.Name,
		Owner: t.Owner(), Event: "TEMPLATE.DOWNLOAD", State: download{Copy: c.ID},
	})
	return err
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
