// Package builtin holds the commands about the API itself: what there is, how
// jobs stand, events and alerts.
package builtin

import (
	"context"
	"time"

	"aerie/services/command"
	"aerie/services/event"
	"aerie/services/job"
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

	marks *command.Marks
}

// Define tells the engine the jobs behind the commands.
func (s *Service) Define(e *job.Engine) {
	job.Define(e, "alert.generate", job.Commit("alert", s.generate, nil))
}

// Register adds the commands and the references they need.
func (s *Service) Register() {
	now := time.Now
	if s.DB != nil {
		now = s.DB.Now
	}
	s.marks = command.NewMarks(now)
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
		s.listAlerts(), s.archiveAlerts(), s.deleteAlerts(), s.generateAlert(), s.listAlertTypes(),
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

// manyNames finds all names at once; iam does.
type manyNames interface {
	NamesByID(ctx context.Context, accounts, domains, users []string) (names map[string]string, paths map[string]string, err error)
}

// namesOf finds the names of a page of events in one query where that can be.
func (s *Service) namesOf(ctx context.Context, page []event.Row) (*labels, error) {
	l := s.labels(ctx)
	many, ok := s.Names.(manyNames)
	if !ok || len(page) == 0 {
		return l, nil
	}
	var accounts, domains, users []string
	for _, r := range page {
		accounts, domains, users = append(accounts, r.AccountID), append(domains, r.DomainID), append(users, r.UserID)
	}
	names, paths, err := many.NamesByID(ctx, accounts, domains, users)
	for _, r := range page {
		l.seen["a"+r.AccountID] = [2]string{names[r.AccountID]}
		l.seen["p"+r.AccountID] = [2]string{names["project/"+r.AccountID]}
		l.seen["u"+r.UserID] = [2]string{names[r.UserID]}
		l.seen["d"+r.DomainID] = [2]string{names[r.DomainID], paths[r.DomainID]}
	}
	return l, err
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
