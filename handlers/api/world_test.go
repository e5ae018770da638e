package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"aerie/handlers/api"
	"aerie/services/command"
	"aerie/services/command/builtin"
	"aerie/services/fault"
	"aerie/services/job"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

var (
	admin = store.Actor{UserID: "root-user", Owner: store.Owner{AccountID: "root", DomainID: "d1", DomainPath: "/1/"}, Rank: store.Admin}
	user  = store.Actor{UserID: "ann-user", Owner: store.Owner{AccountID: "ann", DomainID: "d2", DomainPath: "/1/2/"}, Rank: store.User}
)

const (
	zoneID  = "0199d3c4-0000-7000-8000-00000000000a"
	absent  = "0199d3c4-0000-7000-8000-ffffffffffff"
	secret  = "s3cr3t-of-the-key"
	unknown = "unable to verify user credentials and/or request signature"
)

type zone struct {
	ID      string            `json:"id"`
	Name    string            `json:"name"`
	DNS     string            `json:"dns1" view:"admin"`
	Local   bool              `json:"localstorageenabled"`
	Details map[string]string `json:"resourcedetails"`
}

type listZones struct {
	command.Paging
	ID   string `json:"id" ref:"zone"`
	Name string `json:"name"`
}

type zoneID_ struct {
	ID string `json:"id" ref:"zone" required:"true"`
}

type vm struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Nics []nic  `json:"nic"`
}

type nic struct {
	ID string `json:"id"`
}

type deploy struct {
	ZoneID   string            `json:"zoneid" ref:"zone" required:"true"`
	Offering string            `json:"serviceofferingid" required:"true"`
	Template string            `json:"templateid"`
	Name     string            `json:"name"`
	UserData string            `json:"userdata" max:"1048576"`
	Details  map[string]string `json:"details"`
}

type state struct{ VM string }

// world is a server with sample commands.
type world struct {
	*httptest.Server
	h        *api.Handler
	db       *store.DB
	sessions *sessions
	log      *strings.Builder
	now      time.Time
	made     sync.Map
}

type keys struct{}

func (keys) KeyOwner(_ context.Context, key, _ string) (string, store.Actor, error) {
	switch key {
	case "admin-key":
		return secret, admin, nil
	case "user-key":
		return secret, user, nil
	case "broken-key":
		return "", store.Actor{}, errors.New("the database is away")
	}
	return "", store.Actor{}, fault.New(fault.Unauthenticated, "error.unauthenticated")
}

func (s *sessions) OAuthLogin(ctx context.Context, o api.OAuth) (api.Session, error) {
	return s.Login(ctx, api.Login{Username: o.Email, Password: o.Code})
}

func (s *sessions) Enter(ctx context.Context, _ api.Session) context.Context { return ctx }

func (s *sessions) Renewed(context.Context) (token, key string) { return "", "" }

type sessions struct {
	live  map[string]api.Session
	calls []string
	mu    sync.Mutex
}

func (s *sessions) Login(_ context.Context, l api.Login) (api.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, "login "+l.Username+" "+l.Domain+" "+l.DomainID)
	if l.Password != "right" {
		return api.Session{}, fault.New(fault.Unauthenticated, "error.session")
	}
	n := api.Session{
		Token: "token" + l.Username, Key: "a-Key_of-20-bytes-base64", Actor: user, Unverified: l.Username == "half",
		Profile: api.Profile{Username: l.Username, Account: "ann", FirstName: "Ann", LastName: "Other", Timeout: 30 * time.Minute},
	}
	s.live[n.Token] = n
	return n, nil
}

func (s *sessions) Session(_ context.Context, token string) (api.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.live[token]
	if !ok {
		return x, fault.New(fault.Unauthenticated, "error.session")
	}
	return x, nil
}

func (s *sessions) Logout(_ context.Context, token string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, token)
	return nil
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{db: storetest.Open(t), sessions: &sessions{live: map[string]api.Session{}}, log: &strings.Builder{}, now: time.Now()}
	engine := job.New(w.db, job.Options{Poll: 10 * time.Millisecond, Workers: 2, Backoff: time.Millisecond})
	r := &command.Registry{DB: w.db, Jobs: engine}
	engine.Finish, engine.Notify = r.Finish, r.Notify
	job.Define(engine, "vm.deploy", job.Do("start", func(_ context.Context, s *state) error {
		if s.VM == absent {
			return fault.New(fault.NoCapacity, "error.no_host")
		}
		return nil
	}, nil))
	w.commands(r)
	(&builtin.Service{Registry: r, DB: w.db}).Register()
	r.Ref("pod", func(context.Context, string) (bool, error) { return false, nil })
	r.Check()
	w.h = &api.Handler{
		Registry: r, Keys: keys{}, Sessions: w.sessions, Now: func() time.Time { return w.now },
		Log: slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	w.h.Register(e)
	e.GET("/integration", w.h.Integration(admin))
	w.Server = httptest.NewUnstartedServer(e)
	w.Config.MaxHeaderBytes = 4 << 20
	w.Start()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = engine.Run(ctx) }()
	t.Cleanup(func() { w.Close(); stop(); <-done })
	return w
}

func (w *world) commands(r *command.Registry) {
	r.Ref("zone", func(_ context.Context, id string) (bool, error) { return id == zoneID || id == "z2", nil })
	all := []zone{{ID: zoneID, Name: "Zürich <1>", DNS: "8.8.8.8", Details: map[string]string{"a b": "1"}}, {ID: "z2", Name: "Bern"}}
	r.Add(
		command.New(command.Meta{Name: "listZones", Object: "zone", Roles: command.Everyone, Doc: "lists zones"},
			func(_ context.Context, q listZones) (command.List[zone], error) {
				found := slices.DeleteFunc(slices.Clone(all), func(z zone) bool {
					return q.ID != "" && z.ID != q.ID || q.Name != "" && !strings.EqualFold(z.Name, q.Name) || !strings.Contains(z.Name, q.Keyword)
				})
				n := len(found)
				found = found[min(q.Offset(), n):]
				if l := q.Limit(); l >= 0 {
					found = found[:min(l, len(found))]
				}
				return command.List[zone]{Count: n, Items: found}, nil
			}),
		command.New(command.Meta{Name: "updateZone", Object: "zone", Roles: command.Admin, Event: "ZONE.EDIT"},
			func(context.Context, zoneID_) (zone, error) { return all[0], nil }),
		command.New(command.Meta{Name: "deleteZone", Roles: command.Admin, Event: "ZONE.DELETE"},
			func(context.Context, zoneID_) (command.Success, error) { return command.OK, nil }),
		command.New(command.Meta{Name: "addHost", Object: "host", Roles: command.Admin, Event: "HOST.ADD", ListLike: true},
			func(context.Context, command.None) (zone, error) { return all[0], nil }),
		command.New(command.Meta{Name: "getUploadParamsForVolume", Object: "getuploadparams", Envelope: "postuploadvolumeresponse", Roles: command.Everyone},
			func(context.Context, command.None) (zone, error) { return all[1], nil }),
		command.New(command.Meta{Name: "breakDown", Roles: command.Everyone},
			func(context.Context, command.None) (command.Success, error) {
				return command.OK, errors.New("table vm_instance is on fire")
			}),
		command.New(command.Meta{Name: "panicNow", Roles: command.Everyone},
			func(context.Context, command.None) (command.Success, error) { panic("a bug") }),
		command.New(command.Meta{Name: "getFull", Roles: command.Everyone},
			func(context.Context, command.None) (command.Success, error) {
				return command.OK, fault.New(fault.NoCapacity, "error.no_host", "zone", "Zürich")
			}),
		command.Async(command.Meta{Name: "deployVirtualMachine", Object: "virtualmachine", Roles: command.Everyone, Event: "VM.CREATE", Create: true},
			func(_ context.Context, q deploy) (job.Spec, error) {
				id := w.db.NewID()
				if q.Name == "full" {
					id = absent
				}
				w.made.Store(id, q)
				return job.Spec{Kind: "vm.deploy", Entity: "vm/" + id, ObjectID: id, State: state{id}}, nil
			}, func(_ context.Context, id string) (vm, error) {
				q, _ := w.made.Load(id)
				return vm{ID: id, Name: q.(deploy).Name, Nics: []nic{{"n"}}}, nil
			}),
	)
}

// answer is what came back.
type answer struct {
	code int
	head http.Header
	body string
}

func (w *world) do(t *testing.T, method, path string, form url.Values, prepare func(*http.Request)) answer {
	t.Helper()
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if prepare != nil {
		prepare(r)
	}
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

// ask signs a query as cmk does and sends it.
func (w *world) ask(t *testing.T, key, query string) answer {
	t.Helper()
	return w.do(t, http.MethodGet, "/client/api?"+sign(t, "apiKey="+key+"&response=json&"+query, sdkEscape, byName), nil, nil)
}

type failure struct {
	UUIDs []any  `json:"uuidList"`
	Code  int    `json:"errorcode"`
	CS    *int   `json:"cserrorcode"`
	Text  string `json:"errortext"`
}

func (a answer) failure(t *testing.T) (envelope string, f failure) {
	t.Helper()
	var doc map[string]failure
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || len(doc) != 1 {
		t.Fatalf("not one key: %s (%v)", a.body, err)
	}
	for k, v := range doc {
		envelope, f = k, v
	}
	if f.UUIDs == nil || f.Code != a.code || a.head.Get("X-Description") != f.Text {
		t.Errorf("not an error body: %d %q %s", a.code, a.head.Get("X-Description"), a.body)
	}
	return envelope, f
}
