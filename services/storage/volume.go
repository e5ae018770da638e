package storage

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/infra"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// Instance is what a volume says of the instance it is attached to.
type Instance struct {
	Name, DisplayName, State, Hypervisor string
	HostID                               string
	Offering, OfferingText               string // the size, by its name and description
}

// View is a volume as commands return it.
type View struct {
	ID string `json:"id"`
	iam.Belongs
	command.Pending
	Name             string          `json:"name"`
	Type             string          `json:"type"`
	State            State           `json:"state"`
	Size             int64           `json:"size"`
	ZoneID           string          `json:"zoneid"`
	ZoneName         string          `json:"zonename"`
	PodID            string          `json:"podid" view:"admin"`
	ClusterID        string          `json:"clusterid" view:"admin"`
	ClusterName      string          `json:"clustername" view:"admin"`
	PoolID           string          `json:"storageid" view:"admin"`
	PoolName         string          `json:"storage" view:"admin"`
	Path             string          `json:"path" view:"admin"`
	StorageType      string          `json:"storagetype"`
	Provisioning     string          `json:"provisioningtype"`
	Hypervisor       string          `json:"hypervisor"`
	DeviceID         *int64          `json:"deviceid"`
	VMID             string          `json:"virtualmachineid"`
	VMName           string          `json:"vmname"`
	VMDisplayName    string          `json:"vmdisplayname"`
	VMState          string          `json:"vmstate"`
	VMType           string          `json:"vmtype"`
	Attached         command.Time    `json:"attached"`
	Created          command.Time    `json:"created"`
	OfferingID       string          `json:"diskofferingid"`
	OfferingName     string          `json:"diskofferingname"`
	OfferingText     string          `json:"diskofferingdisplaytext"`
	SizeID           string          `json:"serviceofferingid"`
	SizeName         string          `json:"serviceofferingname"`
	SizeText         string          `json:"serviceofferingdisplaytext"`
	TemplateID       string          `json:"templateid"`
	TemplateName     string          `json:"templatename"`
	TemplateText     string          `json:"templatedisplaytext"`
	Display          bool            `json:"displayvolume"`
	DeleteProtection bool            `json:"deleteprotection"`
	Destroyed        bool            `json:"destroyed"`
	Extractable      bool            `json:"isextractable"`
	Quiesce          bool            `json:"quiescevm"`
	Snapshots        bool            `json:"supportsstoragesnapshot"`
	Annotations      bool            `json:"hasannotations"`
	Tags             []label.TagView `json:"tags"`
}

// Entity is what jobs on the volume have to themselves.
func (v *Volume) Entity() string { return "volume/" + v.ID }

// related is what views of volumes say besides the volumes' own rows.
type related struct {
	belongs         func(store.Owner) iam.Belongs
	zones, clusters map[string]string
	pools           map[string]infra.Pool
	offerings       map[string]Offering
	templates       map[string]image.Template
	instances       map[string]Instance
	jobs            map[string]string // by entity
}

// Show returns one volume as commands return it.
func (s *Service) Show(ctx context.Context, id string) (View, error) {
	v, err := store.Find[Volume](ctx, s.db, id)
	if err != nil {
		return View{}, err
	}
	views, err := s.Views(ctx, []Volume{v})
	if err != nil {
		return View{}, err
	}
	return views[0], nil
}

// Views makes the views of many volumes: a constant number of queries.
func (s *Service) Views(ctx context.Context, list []Volume) ([]View, error) {
	out := make([]View, len(list))
	if len(list) == 0 {
		return out, nil
	}
	r, err := s.relatedTo(ctx, list)
	if err != nil {
		return nil, err
	}
	for i := range list {
		out[i] = r.view(&list[i])
	}
	return out, label.Fill(ctx, s.db, out, label.Want{Tags: true, Notes: true}, func(v *View) string { return v.ID }, func(v *View, l label.Shown) {
		v.Annotations = l.Noted(v.ID)
		v.Tags = l.Tags(v.ID)
	})
}

func (s *Service) relatedTo(ctx context.Context, list []Volume) (r related, err error) {
	var owners []store.Owner
	var zoneIDs, poolIDs, offeringIDs, templateIDs, vmIDs, clusterIDs, entities []string
	for _, v := range list {
		owners, zoneIDs, poolIDs = append(owners, v.Owner()), append(zoneIDs, v.ZoneID), append(poolIDs, v.PoolID)
		offeringIDs, templateIDs = append(offeringIDs, v.DiskOfferingID), append(templateIDs, v.TemplateID)
		entities = append(entities, v.Entity())
		if v.VMID != "" {
			vmIDs = append(vmIDs, v.VMID)
		}
	}
	sys := store.System(ctx, "what volumes refer to")
	for _, get := range []func() error{
		func() error { r.belongs, err = s.IAM.Owners(ctx, owners); return err },
		func() error { r.zones, err = store.Names[infra.Zone](ctx, s.db, zoneIDs); return err },
		func() error { r.templates, err = s.images.ByID(ctx, templateIDs); return err },
		func() error { r.instances, err = s.Instances(ctx, vmIDs); return err },
		func() error {
			r.pools, err = byID(sys, s, poolIDs, func(p infra.Pool) string { return p.ID })
			return err
		},
		func() error {
			r.offerings, err = byID(sys, s, offeringIDs, func(o Offering) string { return o.ID })
			return err
		},
		func() error { r.jobs, err = s.liveJobs(ctx, entities); return err },
	} {
		if err := get(); err != nil {
			return r, err
		}
	}
	for _, p := range r.pools {
		clusterIDs = append(clusterIDs, p.ClusterID)
	}
	r.clusters, err = store.Names[infra.Cluster](ctx, s.db, clusterIDs)
	return r, err
}

// byID returns rows by their ids, removed ones too.
func byID[T any](ctx context.Context, s *Service, ids []string, id func(T) string) (map[string]T, error) {
	var rows []T
	err := s.db.In(ctx).Unscoped().Where("id IN ?", ids).Find(&rows).Error
	out := make(map[string]T, len(rows))
	for _, row := range rows {
		out[id(row)] = row
	}
	return out, err
}

func (s *Service) liveJobs(ctx context.Context, entities []string) (map[string]string, error) {
	rows, err := gorm.G[job.Row](s.db.In(ctx)).Where("entity IN ? AND live = ?", entities, true).Select("id", "entity").Find(ctx)
	out := map[string]string{}
	for _, r := range rows {
		out[r.Entity] = r.ID
	}
	return out, err
}

func (r related) view(v *Volume) View {
	p, o, t, vm := r.pools[v.PoolID], r.offerings[v.DiskOfferingID], r.templates[v.TemplateID], r.instances[v.VMID]
	out := View{
		ID: v.ID, Belongs: r.belongs(v.Owner()), Name: v.Name, Type: v.Type, State: v.State, Size: v.Bytes, ZoneID: v.ZoneID,
		ZoneName: r.zones[v.ZoneID], PodID: p.PodID, ClusterID: p.ClusterID, ClusterName: r.clusters[p.ClusterID], PoolID: v.PoolID, PoolName: p.Name,
		StorageType: "shared", Provisioning: "thin", Hypervisor: vm.Hypervisor, VMID: v.VMID, VMName: vm.Name, VMDisplayName: vm.DisplayName,
		VMState: vm.State, Attached: command.At(v.AttachedAt), Created: command.Time{Time: v.CreatedAt}, OfferingID: v.DiskOfferingID,
		OfferingName: o.Name, OfferingText: o.DisplayText, SizeID: v.ServiceOfferingID, SizeName: vm.Offering, SizeText: vm.OfferingText,
		TemplateID: v.TemplateID, TemplateName: t.Name, TemplateText: t.DisplayText, Display: true, DeleteProtection: v.DeleteProtection,
		Destroyed: v.State == Destroy, Extractable: t.Extractable,
	}
	if out.Hypervisor == "" {
		out.Hypervisor = p.Hypervisor
	}
	if p.Scope == "HOST" {
		out.StorageType = "local"
	}
	if v.PoolID != "" {
		out.Path = v.ID
	}
	if v.VMID != "" {
		out.VMType, out.DeviceID = "User", new(int64(v.Device))
	}
	if id := r.jobs[v.Entity()]; id != "" {
		out.Pending = command.Pending{JobID: id, JobStatus: new(0)}
	}
	return out
}

// ListRequest asks for volumes.
type ListRequest struct {
	command.Paging
	command.Scope
	label.ByTags
	ID         string   `json:"id" ref:"volume" doc:"the volume"`
	IDs        []string `json:"ids" ref:"volume" doc:"several volumes"`
	Name       string   `json:"name" doc:"name of the volume, as a whole"`
	Type       string   `json:"type" doc:"ROOT or DATADISK"`
	State      string   `json:"state" doc:"state of the volume"`
	VMID       string   `json:"virtualmachineid" ref:"virtualmachine" doc:"volumes of the instance"`
	ZoneID     string   `json:"zoneid" ref:"zone" doc:"the zone"`
	PodID      string   `json:"podid" ref:"pod" doc:"volumes in pools of the pod"`
	ClusterID  string   `json:"clusterid" ref:"cluster" doc:"volumes in pools of the cluster"`
	PoolID     string   `json:"storageid" ref:"storagepool" doc:"volumes in the pool"`
	HostID     string   `json:"hostid" ref:"host" doc:"volumes in the pools of the host alone"`
	OfferingID string   `json:"diskofferingid" ref:"diskoffering" doc:"volumes of the disk offering"`
	SizeID     string   `json:"serviceofferingid" ref:"serviceoffering" doc:"root disks of the size"`
	Display    *bool    `json:"displayvolume" doc:"whether the volume is shown to its users; all are"`
	Encrypted  *bool    `json:"isencrypted" doc:"whether the volume is encrypted; none is"`
	SystemVMs  bool     `json:"listsystemvms" doc:"accepted for compatibility: Aerie has no system VMs"`
	CountOnly  bool     `json:"retrieveonlyresourcecount" doc:"true answers the number alone"`
}

func (s *Service) listVolumesCommand() *command.Command {
	return command.New(command.Meta{Name: "listVolumes", Object: "volume", Roles: command.Everyone, Doc: "Lists volumes"}, s.List)
}

// List returns a page of volumes.
func (s *Service) List(ctx context.Context, r ListRequest) (command.List[View], error) {
	if r.Encrypted != nil && *r.Encrypted || r.Display != nil && !*r.Display {
		return command.List[View]{}, nil
	}
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&Volume{}), r.ID)
	if err != nil {
		return command.List[View]{}, err
	}
	list, n, err := command.Rows[Volume](r.Search(s.filter(ctx, q, r), "name"), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return command.List[View]{}, err
	}
	views, err := s.Views(ctx, list)
	return command.List[View]{Count: n, Items: views}, err
}

func (s *Service) filter(ctx context.Context, q *gorm.DB, r ListRequest) *gorm.DB {
	for column, v := range map[string]string{
		"id": r.ID, "vm_id": r.VMID, "zone_id": r.ZoneID, "pool_id": r.PoolID,
		"disk_offering_id": r.OfferingID, "service_offering_id": r.SizeID,
	} {
		q = command.Equal(q, column, v)
	}
	for column, v := range map[string]string{"name": r.Name, "type": r.Type, "state": r.State} {
		q = command.Named(q, column, v)
	}
	q = r.Narrow(ctx, s.db, q)
	if len(r.IDs) > 0 {
		q = q.Where("id IN ?", r.IDs)
	}
	for column, v := range map[string]string{"pod_id": r.PodID, "cluster_id": r.ClusterID, "host_id": r.HostID} {
		if v != "" {
			q = q.Where("pool_id IN (?)", s.db.In(ctx).Model(&infra.Pool{}).Where(column+" = ?", v).Select("id"))
		}
	}
	return q
}
