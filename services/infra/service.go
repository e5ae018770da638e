package infra

import (
	"context"

	"gorm.io/gorm"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/label"
	"aerie/services/store"
)

// Parts is what the service stands on.
type Parts struct {
	DB     *store.DB
	Jobs   *job.Engine
	Fleet  *Fleet
	Keeper *Keeper
}

// Left is what still hangs on a thing that shall go. What is the last part of
// a message key: error.holds.networks.
type Left struct {
	What string
	N    int64
}

// Holder tells what of its package still hangs on a thing. Kinds are those of
// Refs.
type Holder func(ctx context.Context, kind, id string) ([]Left, error)

// Count is how much there is of something and how much of it is in use.
type Count struct{ Total, Used int64 }

// Service keeps what an operator owns. Its hooks are set before the first call.
type Service struct {
	Parts
	db *store.DB
	// Holders are asked before a thing goes. Packages above add theirs.
	Holders []Holder
	// Addresses counts the public addresses of zones; network sets it.
	Addresses func(ctx context.Context, zoneIDs []string) (map[string]Count, error)
}

// New makes the service and defines its sagas.
func New(p Parts) *Service {
	s := &Service{Parts: p, db: p.DB, Addresses: func(context.Context, []string) (map[string]Count, error) { return nil, nil }}
	s.defineWritten()
	s.defineReconnect()
	return s
}

// Commands are the commands about what an operator owns.
func (s *Service) Commands() []*command.Command {
	return []*command.Command{
		s.createZoneCommand(), s.listZonesCommand(), s.updateZoneCommand(), s.deleteZoneCommand(),
		s.createPodCommand(), s.listPodsCommand(), s.updatePodCommand(), s.deletePodCommand(),
		s.addClusterCommand(), s.listClustersCommand(), s.updateClusterCommand(), s.deleteClusterCommand(),
		s.addHostCommand(), s.listHostsCommand(), s.updateHostCommand(), s.deleteHostCommand(), s.reconnectHostCommand(),
		s.createPoolCommand(), s.listPoolsCommand(), s.updatePoolCommand(), s.deletePoolCommand(),
		s.addImageStoreCommand(), s.listImageStoresCommand(), s.updateImageStoreCommand(), s.deleteImageStoreCommand(),
		s.createPhysicalCommand(), s.listPhysicalCommand(), s.updatePhysicalCommand(), s.deletePhysicalCommand(),
		s.addTrafficCommand(), s.listTrafficCommand(), s.updateTrafficCommand(), s.deleteTrafficCommand(),
		s.listCapacityCommand(), s.listHypervisorsCommand(),
	}
}

// Refs tell whether an id that a request names is there for the caller.
func (s *Service) Refs(add func(kind string, exists func(context.Context, string) (bool, error))) {
	add("zone", func(ctx context.Context, id string) (bool, error) { return store.Exists[Zone](ctx, s.db, id) })
	add("pod", ForAdmins[Pod](s.db))
	add("cluster", ForAdmins[Cluster](s.db))
	add("host", ForAdmins[Host](s.db))
	add("storagepool", ForAdmins[Pool](s.db))
	add("imagestore", ForAdmins[ImageStore](s.db))
	add("physicalnetwork", ForAdmins[PhysicalNetwork](s.db))
	add("traffictype", ForAdmins[TrafficType](s.db))
}

// ForAdmins resolves ids of what the cloud is built of: to everybody else they
// are all absent, so that nobody can try them out.
func ForAdmins[T any](db *store.DB) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, id string) (bool, error) {
		if a, _ := store.From(ctx); !a.IsSystem() && a.Rank != store.Admin {
			return false, nil
		}
		return store.Exists[T](ctx, db, id)
	}
}

// written is the state of the saga of commands that are jobs by their contract
// though rows are all they change, which is done when the job is accepted.
type written struct{ ID string }

func (s *Service) defineWritten() {
	job.Define(s.Jobs, "infra.written", job.Commit("written", func(context.Context, *written) error { return nil }, nil))
}

func done(object, id string) job.Spec {
	return job.Spec{Kind: "infra.written", Object: object, ObjectID: id, State: written{id}}
}

// children are the rows of this package that hang on each kind of thing.
var children = map[string][]struct {
	what, column string
	model        any
}{
	"zone": {
		{"hosts", "zone_id", &Host{}},
		{"clusters", "zone_id", &Cluster{}},
		{"pods", "zone_id", &Pod{}},
		{"pools", "zone_id", &Pool{}},
		{"imagestores", "zone_id", &ImageStore{}},
		{"physicalnetworks", "zone_id", &PhysicalNetwork{}},
	},
	"pod":     {{"hosts", "pod_id", &Host{}}, {"clusters", "pod_id", &Cluster{}}, {"pools", "pod_id", &Pool{}}},
	"cluster": {{"hosts", "cluster_id", &Host{}}, {"pools", "cluster_id", &Pool{}}},
}

// free refuses to let a thing go while something hangs on it.
func (s *Service) free(ctx context.Context, kind, id, name string) error {
	for _, holder := range append([]Holder{s.holds}, s.Holders...) {
		left, err := holder(ctx, kind, id)
		if err := refuse(left, err, name); err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a fault of the first that is left.
func refuse(left []Left, err error, name string) error {
	if err != nil {
		return err
	}
	for _, l := range left {
		if l.N > 0 {
			return fault.Param("id", "error.holds."+l.What, "name", name, "n", l.N)
		}
	}
	return nil
}

func (s *Service) holds(ctx context.Context, kind, id string) (out []Left, err error) {
	for _, c := range children[kind] {
		var n int64
		if err := s.db.In(ctx).Model(c.model).Where(c.column+" = ?", id).Count(&n).Error; err != nil {
			return nil, err
		}
		out = append(out, Left{c.what, n})
	}
	return out, nil
}

// find finds a row; an absent id names the parameter that gave it.
func find[T any](ctx context.Context, s *Service, param, id string) (T, error) {
	row, err := store.Find[T](ctx, s.db, id)
	if store.IsAbsent(err) {
		err = fault.Absent(param, id)
	}
	return row, err
}

// change updates the columns of a row, if any.
func change[T any](ctx context.Context, s *Service, id string, set map[string]any) error {
	if len(set) == 0 {
		return nil
	}
	return s.db.In(ctx).Model(new(T)).Where("id = ?", id).Updates(set).Error
}

// remove deletes a row with its labels.
func remove[T any](ctx context.Context, s *Service, id string) error {
	n, err := gorm.G[T](s.db.In(ctx)).Where("id = ?", id).Delete(ctx)
	if err == nil && n == 0 {
		err = fault.Absent("id", id)
	}
	if err != nil {
		return err
	}
	return label.Drop(ctx, s.db, id)
}

// unique refuses a name that a row of the same parent has.
func unique[T any](ctx context.Context, s *Service, param, name, where string, args ...any) error {
	q := command.Named(s.db.In(ctx).Model(new(T)), "name", name)
	if where != "" {
		q = q.Where(where, args...)
	}
	var n int64
	if err := q.Count(&n).Error; err != nil {
		return err
	}
	if n > 0 {
		return fault.Param(param, "error.name_taken", "value", name)
	}
	return nil
}

// text puts a text into the columns to change when the request gave one.
func text(set map[string]any, column string, v *string) {
	if v != nil {
		set[column] = *v
	}
}

// filled puts a text into the columns to change when it is not empty.
func filled(set map[string]any, column, v string) {
	if v != "" {
		set[column] = v
	}
}

// flag puts a boolean into the columns to change when the request gave one.
func flag(set map[string]any, column string, v *bool) {
	if v != nil {
		set[column] = *v
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
