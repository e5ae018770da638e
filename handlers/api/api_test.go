package api_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type ctxT = context.Context

func TestAnswers(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, key, query, want string
	}{
		{"a list", "admin-key", "command=listZones&name=bern", `{"listzonesresponse":{"count":1,"zone":[{"id":"z2","name":"Bern","localstorageenabled":false}]}}`},
		{"an empty list", "user-key", "command=listZones&name=nowhere", `{"listzonesresponse":{}}`},
		{"a page: the count is of all", "user-key", "command=listZones&page=2&pagesize=1", `{"listzonesresponse":{"count":2,"zone":[{"id":"z2","name":"Bern","localstorageenabled":false}]}}`},
		{"behind the last page", "user-key", "command=listZones&page=9&pagesize=1", `{"listzonesresponse":{}}`},
		{"what only admins see", "user-key", "command=listZones&id=" + zoneID, `{"listzonesresponse":{"count":1,"zone":[{"id":"` + zoneID + `","name":"Zürich \u003c1\u003e","localstorageenabled":false,"resourcedetails":{"a b":"1"}}]}}`},
		{"an object", "admin-key", "command=updateZone&id=" + zoneID, `{"updatezoneresponse":{"zone":{"id":"` + zoneID + `","name":"Zürich \u003c1\u003e","dns1":"8.8.8.8","localstorageenabled":false,"resourcedetails":{"a b":"1"}}}}`},
		{"success", "admin-key", "command=deleteZone&id=" + zoneID, `{"deletezoneresponse":{"success":true}}`},
		{"a list of one", "admin-key", "command=addHost", `{"addhostresponse":{"count":1,"host":[{"id":"` + zoneID + `","name":"Zürich \u003c1\u003e","dns1":"8.8.8.8","localstorageenabled":false,"resourcedetails":{"a b":"1"}}]}}`},
		{"an odd envelope", "user-key", "command=getUploadParamsForVolume", `{"postuploadvolumeresponse":{"getuploadparams":{"id":"z2","name":"Bern","localstorageenabled":false}}}`},
		{"habits of cmk", "user-key", "command=listZones&filter=id&listall=true&sessionkey=x&templatefilter=executable&NAME=Bern", `{"listzonesresponse":{"count":1,"zone":[{"id":"z2","name":"Bern","localstorageenabled":false}]}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := w.ask(t, tt.key, tt.query)
			if a.code != 200 || a.body != tt.want {
				t.Errorf("got %d %s", a.code, a.body)
			}
			if a.head.Get("Content-Type") != "application/json; charset=UTF-8" {
				t.Errorf("it is %s", a.head.Get("Content-Type"))
			}
		})
	}
}

func TestErrors(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, key, query string
		code, cs         int
		envelope, text   string
	}{
		{"an unknown command", "user-key", "command=flyToTheMoon", 432, 9999, "errorresponse", "The given command 'flyToTheMoon'"},
		{"a command in the wrong case", "user-key", "command=listzones", 432, 9999, "errorresponse", "The given command 'listzones'"},
		{"a command not for users", "user-key", "command=updateZone", 432, 9999, "errorresponse", "The given command 'updateZone'"},
		{"no command", "user-key", "id=1", 432, 9999, "errorresponse", "The given command ''"},
		{"a missing parameter", "admin-key", "command=updateZone", 431, 4350, "updatezoneresponse", "Unable to execute API command updatezone due to missing parameter id"},
		{"an unknown id", "user-key", "command=listZones&id=" + absent, 431, 4350, "listzonesresponse", "Invalid parameter id value=" + absent + " due to incorrect long value format, or entity does not exist"},
		{"another unknown id", "user-key", "command=deployVirtualMachine&serviceofferingid=1&zoneid=7", 431, 4350, "deployvirtualmachineresponse", "Invalid parameter zoneid value=7 due to incorrect long value format, or entity does not exist"},
		{"the first of many", "user-key", "command=deployVirtualMachine", 431, 4350, "deployvirtualmachineresponse", "due to missing parameter zoneid"},
		{"a text too long", "user-key", "command=listZones&name=" + strings.Repeat("a", 256), 431, 4350, "listzonesresponse", "greater than max allowed length 255 for param: name"},
		{"a bad number", "user-key", "command=listZones&page=a&pagesize=1", 431, 4350, "listzonesresponse", "invalid value a for parameter page"},
		{"a page alone", "user-key", "command=listZones&page=1", 431, 4350, "listzonesresponse", `"pagesize" parameter is required when "page" is specified`},
		{"a page too big", "user-key", "command=listZones&page=1&pagesize=501", 431, 4350, "listzonesresponse", "500"},
		{"a malformed map", "user-key", "command=deployVirtualMachine&zoneid=" + zoneID + "&serviceofferingid=1&details[x].a=1", 430, 9999, "deployvirtualmachineresponse", "malformed map parameter details"},
		{"a bug", "admin-key", "command=breakDown", 530, 9999, "breakdownresponse", "Internal error"},
		{"a panic", "admin-key", "command=panicNow", 530, 9999, "panicnowresponse", "Internal error"},
		{"no room, for a user", "user-key", "command=getFull", 533, 4325, "getfullresponse", "Unable to complete the request"},
		{"no room, for an admin", "admin-key", "command=getFull", 533, 4325, "getfullresponse", "No host has room"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env, f := w.ask(t, tt.key, tt.query).failure(t)
			if f.Code != tt.code || f.CS == nil || *f.CS != tt.cs || env != tt.envelope || !strings.Contains(f.Text, tt.text) {
				t.Errorf("got %s %+v", env, f)
			}
			if strings.Contains(f.Text, "fire") {
				t.Error("tells a stranger what happened inside")
			}
		})
	}
	if !strings.Contains(w.log.String(), "vm_instance is on fire") {
		t.Error("the log does not know the cause")
	}
	if strings.Contains(w.log.String(), secret) || strings.Contains(w.log.String(), "signature=") {
		t.Error("the log knows a secret")
	}
}

func TestXMLIsTheDefault(t *testing.T) {
	w := newWorld(t)
	const head = `<?xml version="1.0" encoding="UTF-8"?>`
	tests := []struct {
		name, query, want string
		code              int
	}{
		{"a list", "command=listZones&id=" + zoneID, `<listzonesresponse cloud-stack-version="4.22.1.0"><count>1</count><zone><id>` + zoneID + `</id><name>Zürich &lt;1&gt;</name><dns1>8.8.8.8</dns1><localstorageenabled>false</localstorageenabled><resourcedetails><a_b>1</a_b></resourcedetails></zone></listzonesresponse>`, 200},
		{"an empty list", "command=listZones&name=x&response=yaml", `<listzonesresponse cloud-stack-version="4.22.1.0"></listzonesresponse>`, 200},
		{"success", "command=deleteZone&id=" + zoneID, `<deletezoneresponse cloud-stack-version="4.22.1.0"><success>true</success></deletezoneresponse>`, 200},
		{"an error", "command=updateZone", `<updatezoneresponse cloud-stack-version="4.22.1.0"><uuidList></uuidList><errorcode>431</errorcode><cserrorcode>4350</cserrorcode><errortext>Unable to execute API command updatezone due to missing parameter id</errortext></updatezoneresponse>`, 431},
	}
	for _, tt := range tests {
		a := w.do(t, http.MethodGet, "/client/api?"+sign(t, "apikey=admin-key&"+tt.query, sdkEscape, byName), nil, nil)
		if a.code != tt.code || a.body != head+tt.want || a.head.Get("Content-Type") != "text/xml; charset=UTF-8" {
			t.Errorf("%s: %d %s %s", tt.name, a.code, a.head.Get("Content-Type"), a.body)
		}
	}
}

func TestRequestForms(t *testing.T) {
	w := newWorld(t)
	long := strings.Repeat("QUFB+/", 1048576/6)
	deploy := "command=deployVirtualMachine&zoneid=" + zoneID + "&serviceofferingid=1&name=web"
	if a := w.ask(t, "user-key", deploy+"&userdata="+url.QueryEscape(long[:700000])); a.code != 200 {
		t.Errorf("user data in a query: %d %.200s", a.code, a.body)
	}
	v, _ := url.ParseQuery(sign(t, "apikey=user-key&response=json&"+deploy+"&userdata="+url.QueryEscape(long), sdkEscape, byName))
	if a := w.do(t, http.MethodPost, "/client/api", v, nil); a.code != 200 {
		t.Errorf("the longest user data: %d %.200s", a.code, a.body)
	}
	v.Set("userdata", strings.Repeat("a", 5<<20))
	if a := w.do(t, http.MethodPost, "/client/api?response=json", v, nil); a.code != 431 {
		t.Errorf("a body too big: %d", a.code)
	}
	if a := w.do(t, http.MethodGet, "/client/api?command=listZones&response=json&x=%zz", nil, nil); a.code != 431 {
		t.Errorf("a query that cannot be read: %d", a.code)
	}
	for _, path := range []string{"/client/api", "/client/api/"} {
		if a := w.do(t, http.MethodPost, path+"?response=json", url.Values{"command": {"listZones"}}, nil); a.code != 401 {
			t.Errorf("%s: %d %s", path, a.code, a.head.Get("Location"))
		}
	}
	w.h.Stopping = func() bool { return true }
	if env, f := w.ask(t, "user-key", "command=listZones").failure(t); f.Code != 503 || env != "listzonesresponse" {
		t.Errorf("while stopping: %v", f)
	}
}

func TestIntegration(t *testing.T) {
	w := newWorld(t)
	if a := w.do(t, http.MethodGet, "/integration?command=deleteZone&response=json&id="+zoneID, nil, nil); a.code != 200 {
		t.Errorf("got %d %s", a.code, a.body)
	}
	a := w.do(t, http.MethodGet, "/integration?command=listZones&response=json", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	if a.code != 401 {
		t.Errorf("a web page: %d", a.code)
	}
	// A page whose own name has come to mean this machine (DNS rebinding) sends
	// neither Origin nor Sec-Fetch-Site over plain HTTP.
	for host, want := range map[string]int{
		"127.0.0.1:8096": 200, "localhost:8096": 200, "LOCALHOST": 200, "[::1]:8096": 200, "127.9.9.9": 200,
		"evil.test:8096": 401, "127.0.0.1.evil.test": 401, "localhost.evil.test:8096": 401, "192.0.2.1:8096": 401,
	} {
		a := w.do(t, http.MethodGet, "/integration?command=listZones&response=json", nil, func(r *http.Request) { r.Host = host })
		if a.code != want {
			t.Errorf("Host %q: %d, want %d", host, a.code, want)
		}
	}
}
