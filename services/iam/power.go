package iam

import (
	"context"
	"sync"
	"time"

	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
)

// power is what a role may, as permission checks need it.
type power struct {
	id, name         string
	level            int
	typ              RoleType
	rules            Rules
	disabled, public bool
	decided          sync.Map // command → bool: rules are asked once for each
}

func newPower(r Role, rules Rules) *power {
	return &power{
		id: r.ID, name: r.Name, level: r.Level, typ: roleTypes[r.Type], rules: rules,
		disabled: r.State == Disabled, public: r.IsPublic,
	}
}

// may tells what the rules say of a command.
func (p *power) may(command string) bool {
	if known, ok := p.decided.Load(command); ok {
		return known.(bool)
	}
	allowed := p.rules.Allow(command)
	p.decided.Store(command, allowed)
	return allowed
}

// fresh is how long a server may go on with the custom roles that it read: the
// time in which a change takes effect on all servers.
const fresh = time.Second

// powers keeps the custom roles between permission checks.
type powers struct {
	mu     sync.Mutex
	byID   map[string]*power
	readAt time.Time
	turn   int // counts the changes made here, so that no reader brings back what was
}

func (c *powers) get(now time.Time) (byID map[string]*power, turn int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.readAt).Abs() >= fresh {
		return nil, c.turn
	}
	return c.byID, c.turn
}

func (c *powers) put(byID map[string]*power, at time.Time, turn int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.turn == turn {
		c.byID, c.readAt = byID, at
	}
}

func (c *powers) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID = nil
	c.turn++
}

// power finds what a role may. In a transaction it reads the role as it is
// there; otherwise what was read within the last second will do.
func (s *Service) power(ctx context.Context, id string) (*power, error) {
	if p := builtin[id]; p != nil {
		return p, nil
	}
	all, err := s.customPowers(ctx, id)
	if err != nil {
		return nil, err
	}
	if p := all[id]; p != nil {
		return p, nil
	}
	return nil, fault.Absent("roleid", id)
}

func (s *Service) customPowers(ctx context.Context, id string) (map[string]*power, error) {
	if s.db.InTx(ctx) {
		return s.readPowers(ctx, id)
	}
	now := s.db.Now()
	all, turn := s.powers.get(now)
	if all != nil {
		return all, nil
	}
	all, err := s.readPowers(ctx, "")
	if err == nil {
		s.powers.put(all, now, turn)
	}
	return all, err
}

// readPowers reads one custom role, or all of them: two queries either way.
func (s *Service) readPowers(ctx context.Context, id string) (map[string]*power, error) {
	ctx = store.System(ctx, "what roles may")
	roles, rules := gorm.G[Role](s.db.In(ctx)).Where("is_default = ?", false), gorm.G[Permission](s.db.In(ctx)).Where("1 = 1")
	if id != "" {
		roles, rules = roles.Where("id = ?", id), rules.Where("role_id = ?", id)
	}
	rows, err := roles.Find(ctx)
	if err != nil || len(rows) == 0 {
		return map[string]*power{}, err
	}
	list, err := rules.Order("role_id, position").Find(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]Rules{}
	for _, p := range list {
		of[p.RoleID] = append(of[p.RoleID], p.rule())
	}
	out := make(map[string]*power, len(rows))
	for _, r := range rows {
		out[r.ID] = newPower(r, of[r.ID])
	}
	return out, nil
}
