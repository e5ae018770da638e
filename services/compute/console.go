package compute

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"gorm.io/gorm"

	"aerie/drivers"
	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/infra"
	"aerie/services/store"
)

// ConsoleKind is one of an instance's consoles.
type ConsoleKind = drivers.ConsoleKind

// The consoles of an instance.
const (
	VNC    = drivers.ConsoleVNC    // the screen
	Serial = drivers.ConsoleSerial // the serial line
)

// Ticket lets one user open one console of one instance once, within a minute.
// The row holds a hash: who reads the table cannot open anything.
type Ticket struct {
	Hash      string `gorm:"primaryKey"`
	VMID      string `gorm:"column:vm_id"`
	Kind      ConsoleKind
	UserID    string
	SessionID string // when it was asked for in a session, the console ends with it
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// TableName is the tickets' table.
func (Ticket) TableName() string { return "console_tickets" }

// NewTicket makes a ticket for the actor and returns its token, which is kept
// nowhere. It belongs in a transaction.
func (s *Service) NewTicket(ctx context.Context, vmID string, kind ConsoleKind) (token string, err error) {
	vm, err := store.Find[VM](ctx, s.db, vmID)
	if err != nil {
		return "", named(err, "virtualmachineid", vmID)
	}
	if vm.State != Running && vm.State != Paused {
		return "", fault.New(fault.Conflict, "error.console_state", "name", vm.DisplayName, "state", string(vm.State))
	}
	var b [32]byte
	if _, err := io.ReadFull(s.db.Rand(), b[:]); err != nil {
		return "", err
	}
	token = base64.RawURLEncoding.EncodeToString(b[:])
	actor, _ := store.From(ctx)
	g := s.db.In(ctx)
	now := s.db.Now()
	if _, err := gorm.G[Ticket](g).Where("expires_at < ?", now.Add(-time.Hour)).Delete(ctx); err != nil {
		return "", err
	}
	return token, gorm.G[Ticket](g).Create(ctx, &Ticket{
		Hash: hash(token), VMID: vm.ID, Kind: kind, UserID: actor.UserID,
		SessionID: s.IAM.SessionOf(ctx), ExpiresAt: now.Add(s.Settings.consoleTicket.Get(ctx)),
	})
}

// PruneTickets deletes tickets that ended more than a day ago. It belongs in a
// loop: new tickets clear away old ones, but there may be no new ones.
func (s *Service) PruneTickets(ctx context.Context) error {
	return s.db.Tx(ctx, func(ctx context.Context) error {
		_, err := gorm.G[Ticket](s.db.In(ctx)).Where("expires_at < ?", s.db.Now().Add(-24*time.Hour)).Delete(ctx)
		return err
	})
}

func hash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// Redeem takes a token for a console. Of two who come with the same token one
// gets in; the other, like one who is late, gets the same refusal.
func (s *Service) Redeem(ctx context.Context, token string) (t Ticket, err error) {
	ctx = store.System(ctx, "redeem a console ticket")
	refused := fault.New(fault.Unauthenticated, "error.console_ticket")
	err = s.db.Tx(ctx, func(ctx context.Context) error {
		g := s.db.In(ctx)
		n, err := gorm.G[Ticket](g).Where("hash = ? AND used_at IS NULL AND expires_at > ?", hash(token), s.db.Now()).Update(ctx, "used_at", s.db.Now())
		if err != nil {
			return err
		}
		if n == 0 {
			return refused
		}
		t, err = gorm.G[Ticket](g).Where("hash = ?", hash(token)).Take(ctx)
		return err
	})
	return t, err
}

// Entitled tells whether the holder of a redeemed ticket may still watch: the
// user and the session hold, its role allows consoles, the instance is its own
// and still runs where it ran. It returns the host and when the instance was
// started.
func (s *Service) Entitled(ctx context.Context, t Ticket) (VM, error) {
	p, err := s.IAM.Standing(ctx, t.UserID)
	if err != nil {
		return VM{}, err
	}
	if !s.IAM.Allowed(ctx, p.Actor, "createConsoleEndpoint", true) {
		return VM{}, fault.New(fault.Forbidden, "error.rank")
	}
	if t.SessionID != "" {
		lives, err := s.IAM.SessionLives(ctx, t.SessionID)
		if err != nil {
			return VM{}, err
		}
		if !lives {
			return VM{}, fault.New(fault.Unauthenticated, "error.session")
		}
	}
	vm, err := store.Find[VM](store.With(ctx, p.Actor), s.db, t.VMID)
	if err != nil {
		return vm, err
	}
	if vm.State != Running && vm.State != Paused {
		return vm, fault.New(fault.Conflict, "error.console_state", "name", vm.DisplayName, "state", string(vm.State))
	}
	return vm, nil
}

// Console tells where the console of a running instance listens on its host.
func (s *Service) Console(ctx context.Context, vm VM, kind ConsoleKind) (drivers.ConsoleEndpoint, error) {
	c, err := infra.Ability[drivers.Console](ctx, s.Fleet, vm.HostID)
	if err != nil {
		return drivers.ConsoleEndpoint{}, err
	}
	end, err := c.OpenConsole(ctx, drivers.OpenConsole{ID: vm.ID, Kind: kind})
	return end, infra.Fault(err)
}

// Screenshot takes a picture of a running instance's screen.
func (s *Service) Screenshot(ctx context.Context, id string) (drivers.Picture, error) {
	vm, err := store.Find[VM](ctx, s.db, id)
	if err != nil {
		return drivers.Picture{}, err
	}
	if vm.State != Running && vm.State != Paused {
		return drivers.Picture{}, fault.New(fault.Conflict, "error.console_state", "name", vm.DisplayName, "state", string(vm.State))
	}
	c, err := infra.Ability[drivers.Screen](ctx, s.Fleet, vm.HostID)
	if err != nil {
		return drivers.Picture{}, err
	}
	p, err := c.Screenshot(ctx, drivers.VMRef{ID: vm.ID})
	return p, infra.Fault(err)
}

// ConsoleRequest asks for the way to a console.
type ConsoleRequest struct {
	VMID  string `json:"virtualmachineid" ref:"virtualmachine" required:"true" doc:"the instance"`
	Token string `json:"token" secret:"true" doc:"an extra token; not needed, the ticket is bound to the user"`
}

// Endpoint is the way to a console: a page for people, a websocket for clients.
type Endpoint struct {
	Success   bool      `json:"success"`
	URL       string    `json:"url" secret:"true"`
	Websocket Websocket `json:"websocket"`
}

// Websocket is where a client connects by itself.
type Websocket struct {
	Token string `json:"token" secret:"true"`
	Host  string `json:"host"`
	Port  string `json:"port"`
	Path  string `json:"path"`
}

// The console's addresses on the portal's own origin.
const (
	ConsolePage   = "/console"
	ConsoleSocket = "/console/socket"
)

func (s *Service) consoleCommand() *command.Command {
	m := command.Meta{
		Name: "createConsoleEndpoint", Object: "consoleendpoint", Event: "VM.CONSOLE", Roles: command.Everyone,
		Doc: "Gives a single-use way to an instance's console",
	}
	return command.New(m, func(ctx context.Context, r ConsoleRequest) (Endpoint, error) {
		token, err := s.NewTicket(ctx, r.VMID, VNC)
		if err != nil {
			return Endpoint{}, err
		}
		// The token is behind the #, which browsers neither send nor pass on.
		base := s.Origin(ctx)
		return Endpoint{
			Success: true, URL: base.JoinPath(ConsolePage).String() + "#" + token,
			Websocket: Websocket{Token: token, Host: base.Hostname(), Port: base.Port(), Path: ConsoleSocket},
		}, nil
	})
}
