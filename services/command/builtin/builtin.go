// Package builtin holds the commands about the API itself: what there is, how
// jobs stand, events and alerts.
package builtin

import (
	"context"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/store"
)

// Names tells the names behind ids, which results show besides them. Unknown
// ids have the name "". iam satisfies it.
type Names interface {
	AccountName(ctx context.Context, id string) string
	DomainName(ctx context.Context, id string) (name, path string)
	UserName(ctx context.Context, id string) string
	ProjectName(ctx context.Context, id string) string
}

// Service has the commands. Registry and DB are needed.
type Service struct {
	Registry *command.Registry
	DB       *store.DB
	Names    Names // nil: results show ids only
	// Capability is what listCapabilities tells; nil: Defaults.
	Capability func(context.Context) Capability
	// ServerID and ServerName are this server's, for jobs.
	ServerID, ServerName string
}

// Register adds the commands and the references they need.
func (s *Service) Register() {
	s.Registry.Ref("event", func(ctx context.Context, id string) (bool, error) {
		return store.Exists[event.Row](ctx, s.DB, id)
	})
	s.Registry.Ref("alert", func(ctx context.Context, id string) (bool, error) {
		return store.Exists[event.AlertRow](ctx, s.DB, id)
	})
	s.Registry.Add(
		s.listApis(), s.listCapabilities(),
		s.queryAsyncJobResult(), s.listAsyncJobs(),
		s.listEvents(), s.archiveEvents(), s.deleteEvents(), s.listEventTypes(),
		s.listAlerts(), s.archiveAlerts(), s.deleteAlerts(),
	)
}

// labels finds names and asks for each id once.
type labels struct {
	ctx   context.Context
	names Names
	seen  map[string][2]string
}

func (s *Service) labels(ctx context.Context) *labels {
	return &labels{ctx: ctx, names: s.Names, seen: map[string][2]string{}}
}

func (l *labels) once(kind, id string, find func() (string, string)) (string, string) {
	if l.names == nil || id == "" {
		return "", ""
	}
	pair, ok := l.seen[kind+id]
	if !ok {
		pair[0], pair[1] = find()
		l.seen[kind+id] = pair
	}
	return pair[0], pair[1]
}

func (l *labels) account(id string) string {
	name, _ := l.once("a", id, func() (string, string) { return l.names.AccountName(l.ctx, id), "" })
	return name
}

func (l *labels) domain(id string) (name, path string) {
	return l.once("d", id, func() (string, string) { return l.names.DomainName(l.ctx, id) })
}

// project is the name of the project whose account that is, or empty.
func (l *labels) project(id string) string {
	name, _ := l.once("p", id, func() (string, string) { return l.names.ProjectName(l.ctx, id), "" })
	return name
}

func (l *labels) user(id string) string {
	name, _ := l.once("u", id, func() (string, string) { return l.names.UserName(l.ctx, id), "" })
	return name
}

func roleOf(ctx context.Context) command.Role {
	actor, _ := store.From(ctx)
	if actor.IsSystem() {
		return command.Everyone
	}
	return command.RoleOf(actor.Rank)
}
