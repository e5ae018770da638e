package compute

import (
	"context"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/network"
	"aerie/services/storage"
	"aerie/services/store"
)

// ListRequest asks for instances.
type ListRequest struct {
	command.Paging
	command.Scope
	ID         string   `json:"id" ref:"virtualmachine" doc:"the instance"`
	IDs        []string `json:"ids" ref:"virtualmachine" doc:"several instances"`
	Name       string   `json:"name" doc:"name of the instance, as a whole"`
	State      string   `json:"state" doc:"state of the instance; Present means all but those that are gone"`
	ZoneID     string   `json:"zoneid" ref:"zone" doc:"the zone"`
	HostID     string   `json:"hostid" ref:"host" doc:"the host"`
	NetworkID  string   `json:"networkid" ref:"network" doc:"instances with a card in the network"`
	TemplateID string   `json:"templateid" ref:"template" doc:"instances made from the template"`
	OfferingID string   `json:"serviceofferingid" ref:"serviceoffering" doc:"instances of the size"`
	PoolID     string   `json:"storageid" ref:"storagepool" doc:"instances with a disk in the pool"`
	UserID     string   `json:"userid" ref:"user" doc:"instances that the user deployed"`
	Hypervisor string   `json:"hypervisor" doc:"the hypervisor"`
	KeyPair    string   `json:"keypair" doc:"instances with the SSH key pair"`
	GroupID    string   `json:"groupid" ref:"instancegroup" doc:"instances of the group"`
	AffinityID string   `json:"affinitygroupid" ref:"affinitygroup" doc:"instances in the affinity group"`
	DataID     string   `json:"userdataid" ref:"userdata" doc:"instances with that user data of the library"`
	UserData   bool     `json:"userdata" doc:"true shows the user data of each"`
	Leased     *bool    `json:"leased" doc:"true for instances that end by themselves"`
	HA         *bool    `json:"haenable" doc:"whether the instance is restarted after a failure"`
	DisplayVM  *bool    `json:"displayvm" doc:"whether the instance is shown to its users"`
	CountOnly  bool     `json:"retrieveonlyresourcecount" doc:"true answers the number alone"`
}

// List returns a page of instances.
func (s *Service) List(ctx context.Context, r ListRequest) (command.List[View], error) {
	q, err := r.Apply(ctx, s.db.In(ctx).Model(&VM{}), r.ID)
	if err != nil {
		return command.List[View]{}, err
	}
	vms, n, err := command.Rows[VM](s.filter(ctx, q, r), r.Paging, "created_at DESC, id DESC")
	if err != nil {
		return command.List[View]{}, err
	}
	views, err := s.Views(ctx, vms)
	for i := range views {
		if r.UserData {
			views[i].UserData = vms[i].UserData
		}
	}
	return command.List[View]{Count: n, Items: views}, err
}

func (s *Service) filter(ctx context.Context, q *gorm.DB, r ListRequest) *gorm.DB {
	for column, value := range map[string]string{
		"id": r.ID, "name": r.Name, "zone_id": r.ZoneID, "host_id": r.HostID,
		"template_id": r.TemplateID, "offering_id": r.OfferingID, "user_id": r.UserID, "hypervisor": r.Hypervisor,
		"group_id": r.GroupID, "user_data_id": r.DataID,
	} {
		if value != "" {
			q = q.Where(column+" = ?", value) // columns are the literals above
		}
	}
	if len(r.IDs) > 0 {
		q = q.Where("id IN ?", r.IDs)
	}
	if r.Keyword != "" {
		like := store.Contains(r.Keyword)
		q = q.Where("(name LIKE ? ESCAPE '!' OR display_name LIKE ? ESCAPE '!' OR instance_name LIKE ? ESCAPE '!')", like, like, like)
	}
	if r.KeyPair != "" {
		name := likeText.Replace(r.KeyPair)
		q = q.Where("(key_pairs = ? OR key_pairs LIKE ? ESCAPE '!' OR key_pairs LIKE ? ESCAPE '!' OR key_pairs LIKE ? ESCAPE '!')",
			r.KeyPair, name+",%", "%,"+name, "%,"+name+",%")
	}
	if r.AffinityID != "" {
		q = q.Where("id IN (?)", s.db.In(ctx).Model(&Member{}).Where("group_id = ?", r.AffinityID).Select("vm_id"))
	}
	if r.Leased != nil {
		q = q.Where(map[bool]string{true: "lease_ends IS NOT NULL", false: "lease_ends IS NULL"}[*r.Leased])
	}
	if r.HA != nil {
		q = q.Where("ha = ?", *r.HA)
	}
	if r.DisplayVM != nil {
		q = q.Where("display = ?", *r.DisplayVM)
	}
	if r.NetworkID != "" {
		q = q.Where("id IN (?)", s.db.In(ctx).Model(&network.NIC{}).Where("network_id = ?", r.NetworkID).Select("vm_id"))
	}
	if r.PoolID != "" {
		q = q.Where("id IN (?)", s.db.In(ctx).Model(&storage.Volume{}).Where("pool_id = ?", r.PoolID).Select("vm_id"))
	}
	return s.inState(ctx, q, r)
}

// inState hides from users what is destroyed: it is gone for them.
func (s *Service) inState(ctx context.Context, q *gorm.DB, r ListRequest) *gorm.DB {
	switch {
	case r.State == "Present":
		q = q.Where("state NOT IN ?", []State{Destroyed, Expunging})
	case r.State != "":
		q = q.Where("state = ?", r.State)
	}
	if actor, _ := store.From(ctx); actor.Rank == store.User && !actor.IsSystem() && !s.Settings.UserRecover(ctx) {
		q = q.Where("state NOT IN ?", []State{Destroyed, Expunging})
	}
	return q
}

// likeText takes the meaning from what LIKE reads as a pattern.
var likeText = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func itoa(n int) string { return strconv.Itoa(n) }
