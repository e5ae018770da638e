package main_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // CloudStack's signature
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
	"nhooyr.io/websocket"
)

// apiPath is where clients of CloudStack knock.
const apiPath = "/client/api"

// cookies is a client that keeps cookies, as curl with a jar does.
type cookies struct {
	http.Client
	s   *server
	key string // the session's key
}

// answer is what the API answered.
type answer struct {
	code int
	body []byte
}

// login signs in by POST.
func (s *server) login(username, password string, domain ...string) (*cookies, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := &cookies{Client: http.Client{Jar: jar, Timeout: time.Minute}, s: s}
	form := url.Values{"command": {"login"}, "username": {username}, "password": {password}, "response": {"json"}}
	if len(domain) > 0 {
		form.Set("domain", domain[0])
	}
	a, err := c.send(c.PostForm(s.url(apiPath), form))
	if err != nil {
		return nil, err
	}
	var in struct {
		Login struct{ Sessionkey, Userid, Account string } `json:"loginresponse"`
	}
	if err := json.Unmarshal(a.body, &in); err != nil || a.code != http.StatusOK {
		return nil, fmt.Errorf("login: %d %s", a.code, a.body)
	}
	c.key = in.Login.Sessionkey
	return c, nil
}

func (c *cookies) send(resp *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, b}, err
}

// call asks by GET; args are names and values in turn.
func (c *cookies) call(command string, args ...string) answer {
	c.s.t.Helper()
	return c.at(c.s, command, args...)
}

// at asks another server with the same cookies.
func (c *cookies) at(s *server, command string, args ...string) answer {
	s.t.Helper()
	q := url.Values{"command": {command}, "response": {"json"}, "sessionkey": {c.key}}
	for i := 0; i+1 < len(args); i += 2 {
		q.Set(args[i], args[i+1])
	}
	a, err := c.send(c.Get(s.url(apiPath + "?" + q.Encode())))
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// raw sends a query as it is, without any session.
func (s *server) raw(query string) answer {
	s.t.Helper()
	a, err := new(cookies).send(http.Get(s.url(apiPath + "?" + query)))
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// failure is an answer's error.
type failure struct {
	envelope string
	Code     int    `json:"errorcode"`
	CS       int    `json:"cserrorcode"`
	Text     string `json:"errortext"`
}

func (a answer) failure(t testing.TB) (f failure) {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(a.body, &all); err != nil || len(all) != 1 {
		t.Fatalf("no envelope: %s", a.body)
	}
	for name, inner := range all {
		if err := json.Unmarshal(inner, &f); err != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
		f.envelope = name
	}
	if f.Code != a.code {
		t.Errorf("status %d with error code %d", a.code, f.Code)
	}
	return f
}

// signed is the query of a request signed by hand, as the SDK does it.
func signed(secret string, params map[string]string) string {
	var pairs, plain []string
	for k, v := range params {
		e := strings.ReplaceAll(url.QueryEscape(v), "+", "%20")
		pairs, plain = append(pairs, k+"="+e), append(plain, strings.ToLower(k+"="+e))
	}
	slices.Sort(plain)
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(strings.Join(plain, "&")))
	return strings.Join(pairs, "&") + "&signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// keys of a user of the API.
type keys struct{ api, secret string }

// sdk is the unmodified Go SDK, waiting for jobs.
func (s *server) sdk(k keys) *cloudstack.CloudStackClient {
	cs := cloudstack.NewAsyncClient(s.url(apiPath), k.api, k.secret, false)
	cs.AsyncTimeout(int64(aWhile/time.Second) + 60)
	return cs
}

// later is the SDK without waiting.
func (s *server) later(k keys) *cloudstack.CloudStackClient {
	return cloudstack.NewClient(s.url(apiPath), k.api, k.secret, false)
}

// adminKeys signs in as the administrator and takes keys.
func (s *server) adminKeys() keys {
	s.t.Helper()
	if s.adminKeysMade.api != "" {
		return s.adminKeysMade
	}
	c, err := s.login("admin", adminPassword)
	if err != nil {
		s.t.Fatal(err)
	}
	var users struct {
		List struct {
			User []struct{ ID, Username string }
		} `json:"listusersresponse"`
	}
	if err := json.Unmarshal(c.call("listUsers", "username", "admin").body, &users); err != nil || len(users.List.User) != 1 {
		s.t.Fatalf("users: %+v, %v", users, err)
	}
	var made struct {
		Made struct {
			Keys struct{ Apikey, Secretkey string } `json:"userkeys"`
		} `json:"registeruserkeysresponse"`
	}
	a := c.call("registerUserKeys", "id", users.List.User[0].ID)
	if err := json.Unmarshal(a.body, &made); err != nil || made.Made.Keys.Secretkey == "" {
		s.t.Fatalf("keys: %s, %v", a.body, err)
	}
	s.adminKeysMade = keys{made.Made.Keys.Apikey, made.Made.Keys.Secretkey}
	return s.adminKeysMade
}

// admin is the administrator by the SDK.
func (s *server) admin() *cloudstack.CloudStackClient { return s.sdk(s.adminKeys()) }

// socket opens a console by its ticket.
func (s *server) socket(ticket string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), soon)
	s.t.Cleanup(cancel)
	c, resp, err := websocket.Dial(ctx, "ws://"+s.address+"/console/socket", &websocket.DialOptions{
		Subprotocols: []string{"binary", "aerie.ticket." + ticket}, CompressionMode: websocket.CompressionDisabled,
	})
	if err == nil {
		c.SetReadLimit(-1)
		s.t.Cleanup(func() { _ = c.CloseNow() })
	}
	return c, resp, err
}

// flat is a JSON or XML answer as sorted lines "path=value", so that both can
// be compared. Lists repeat their path, and what is empty is not there.
func flat(t testing.TB, a answer) []string {
	t.Helper()
	var out []string
	if strings.HasPrefix(string(a.body), "<?xml") {
		var root element
		if err := xml.Unmarshal(a.body, &root); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		root.walk("", &out)
	} else {
		d := json.NewDecoder(strings.NewReader(string(a.body)))
		d.UseNumber()
		var root any
		if err := d.Decode(&root); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		walk("", root, &out)
	}
	slices.Sort(out)
	return out
}

type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

func (e element) walk(path string, out *[]string) {
	path += "/" + e.XMLName.Local
	for _, c := range e.Children {
		c.walk(path, out)
	}
	if len(e.Children) == 0 && e.Text != "" {
		*out = append(*out, path+"="+e.Text)
	}
}

func walk(path string, v any, out *[]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			walk(path+"/"+k, x, out)
		}
	case []any:
		for _, x := range v {
			walk(path, x, out)
		}
	default:
		if text := fmt.Sprint(v); text != "" {
			*out = append(*out, path+"="+text)
		}
	}
}
