package image

import (
	"context"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/infra"
	"aerie/services/store"
)

// View is a template in a zone as commands return it.
type View struct {
	ID string `json:"id"`
	iam.Belongs
	AccountID   string            `json:"accountid"`
	Name        string            `json:"name"`
	DisplayText string            `json:"displaytext"`
	URL         string            `json:"url" view:"admin"`
	Format      string            `json:"format"`
	Hypervisor  string            `json:"hypervisor"`
	Type        string            `json:"templatetype"`
	Arch        string            `json:"arch"`
	OSType      string            `json:"ostypename"`
	Bits        int               `json:"bits"`
	Checksum    string            `json:"checksum"`
	Created     command.Time      `json:"created"`
	Removed     command.Time      `json:"removed"`
	Public      bool              `json:"ispublic"`
	Featured    bool              `json:"isfeatured"`
	Extractable bool              `json:"isextractable"`
	Ready       bool              `json:"isready"`
	Status      string            `json:"status"`
	Password    bool              `json:"passwordenabled"`
	SSHKey      bool              `json:"sshkeyenabled"`
	Scalable    bool              `json:"isdynamicallyscalable"`
	RequiresHVM bool              `json:"requireshvm"`
	Bootable    bool              `json:"bootable"`
	CrossZones  bool              `json:"crossZones"`
	Direct      bool              `json:"directdownload"`
	AsIs        bool              `json:"deployasis"`
	Tag         string            `json:"templatetag"`
	Bytes       int64             `json:"size"`
	FileBytes   int64             `json:"physicalsize"`
	ZoneID      string            `json:"zoneid"`
	ZoneName    string            `json:"zonename"`
	Details     map[string]string `json:"details"`
	DataID      string            `json:"userdataid"`
	DataName    string            `json:"userdataname"`
	DataParams  string            `json:"userdataparams"`
	DataPolicy  string            `json:"userdatapolicy"`
	Downloads   []Progress        `json:"downloaddetails"`
	Tags        []struct{}        `json:"tags"`
}

// Progress is how far a zone's copy is.
type Progress struct {
	Store   string `json:"datastore"`
	Percent string `json:"downloadPercent"`
	State   string `json:"downloadState"`
}

// Get returns one template as commands return it.
func (s *Service) Get(ctx context.Context, id string) (View, error) {
	t, err := store.Find[Template](ctx, s.db, id)
	if err != nil {
		return View{}, err
	}
	views, err := s.views(ctx, []Template{t})
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

func (s *Service) views(ctx context.Context, list []Template) ([]View, error) {
	var ids []string
	var of []store.Owner
	for _, t := range list {
		ids, of = append(ids, t.ID), append(of, t.Owner())
	}
	owners, err := s.parts.IAM.Owners(ctx, of)
	if err != nil {
		return nil, err
	}
	copies, err := gorm.G[Copy](s.db.In(ctx)).Where("template_id IN ?", ids).Order("zone_id, id").Find(ctx)
	if err != nil {
		return nil, err
	}
	var zones, stores []string
	byTemplate := map[string][]Copy{}
	for _, c := range copies {
		zones, stores = append(zones, c.ZoneID), append(stores, c.StoreID)
		byTemplate[c.TemplateID] = append(byTemplate[c.TemplateID], c)
	}
	zoneNames, err := store.Names[infra.Zone](ctx, s.db, zones)
	if err != nil {
		return nil, err
	}
	linked, err := s.linked(ctx, list)
	if err != nil {
		return nil, err
	}
	storeNames, err := store.Names[infra.ImageStore](ctx, s.db, stores)
	out := make([]View, len(list))
	for i, t := range list {
		out[i] = view(t, owners(t.Owner()), byTemplate[t.ID], zoneNames, storeNames)
		out[i].DataName, out[i].DataParams = linked[t.UserDataID].Name, linked[t.UserDataID].Params
	}
	return out, err
}

// linked is the user data of templates, by its id.
func (s *Service) linked(ctx context.Context, list []Template) (map[string]Linked, error) {
	var ids []string
	for _, t := range list {
		if t.UserDataID != "" {
			ids = append(ids, t.UserDataID)
		}
	}
	if len(ids) == 0 || s.UserData == nil {
		return nil, nil
	}
	return s.UserData(ctx, ids)
}

func view(t Template, who iam.Belongs, copies []Copy, zones, stores map[string]string) View {
	v := View{
		ID: t.ID, Belongs: who, AccountID: t.AccountID, Name: t.Name, DisplayText: t.DisplayText, URL: t.URL, Format: t.Format,
		Hypervisor: t.Hypervisor, Type: t.Type, Arch: t.Arch, OSType: t.OSType, Bits: t.Bits, Checksum: t.Checksum,
		Created: command.Time{Time: t.CreatedAt}, Public: t.Public, Featured: t.Featured, Extractable: t.Extractable,
		Password: t.PasswordEnabled, SSHKey: t.SSHKeyEnabled, Scalable: t.Scalable, RequiresHVM: t.RequiresHVM, Bootable: true,
		Tag: t.Tag, Bytes: t.Bytes, FileBytes: t.FileBytes, Downloads: []Progress{}, DataID: t.UserDataID, DataPolicy: t.UserDataPolicy, Tags: []struct{}{},
	}
	_ = json.Unmarshal([]byte(t.Details), &v.Details) // written by this package
	if t.RemovedAt.Valid {
		v.Removed = command.Time{Time: t.RemovedAt.Time}
	}
	for i, c := range copies {
		if i == 0 || c.State == Ready && !v.Ready {
			v.ZoneID, v.ZoneName, v.Ready, v.Status = c.ZoneID, zones[c.ZoneID], c.State == Ready, status(c)
		}
		v.Downloads = append(v.Downloads, Progress{Store: stores[c.StoreID], Percent: fmt.Sprint(c.Percent), State: string(c.State)})
	}
	return v
}

// status is the text that CloudStack's clients know.
func status(c Copy) string {
	switch c.State {
	case Ready:
		return "Download Complete"
	case FailedCopy:
		return or(c.Why, "Download failed")
	case Downloading:
		return fmt.Sprintf("%d%% Downloaded", c.Percent)
	default:
		return string(c.State)
	}
}
