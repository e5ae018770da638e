package main_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

// absentID is a UUID that nothing has.
const absentID = "0199d3c4-0000-7000-8000-ffffffffffff"

// refusals: the codes and texts that clients know, exactly.
func refusals(t *testing.T, s *server, admin *cloudstack.CloudStackClient, ann someone, vm string) {
	bob := joins(t, s, admin, "bob")
	foreign := bob.network(t, "bob's")
	c, err := s.login(ann.name, ann.password)
	if err != nil {
		t.Fatal(err)
	}
	const (
		credentials = "unable to verify user credentials and/or request signature"
		absent      = "Unable to execute API command %s due to invalid value. " +
			"Invalid parameter %s value=%s due to incorrect long value format, or entity does not exist"
	)
	say := func(format string, args ...string) string {
		for _, a := range args {
			format = strings.Replace(format, "%s", a, 1)
		}
		return format
	}
	list := map[string]string{"command": "listZones", "response": "json", "apiKey": ann.api}
	with := func(more ...string) map[string]string {
		m := map[string]string{}
		for k, v := range list {
			m[k] = v
		}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return m
	}
	at := func(d time.Duration) string { return time.Now().UTC().Add(d).Format("2006-01-02T15:04:05Z") }
	if a := s.raw(signed(ann.secret, with("signatureVersion", "3", "expires", at(time.Minute)))); a.code != http.StatusOK {
		t.Fatalf("a good signature: %d %s", a.code, a.body)
	}
	for _, r := range []struct {
		name     string
		a        answer
		envelope string
		code, cs int
		text     string
	}{
		{"wrong signature", s.raw(signed("x"+ann.secret, list)), "listzonesresponse", 401, 0, credentials},
		{"unknown key", s.raw(signed(ann.secret, with("apiKey", "nobody"))), "listzonesresponse", 401, 0, credentials},
		{"no signature", s.raw("command=listZones&response=json&apiKey=" + ann.api), "listzonesresponse", 401, 0, credentials},
		{"expired", s.raw(signed(ann.secret, with("signatureVersion", "3", "expires", at(-time.Minute)))), "listzonesresponse", 401, 0, credentials},
		{"version 3 without expiry", s.raw(signed(ann.secret, with("signatureVersion", "3"))), "listzonesresponse", 401, 0, credentials},
		{"no session", s.raw("command=listZones&response=json"), "listzonesresponse", 401, 0, credentials},
		{"foreign id", c.call("listNetworks", "id", foreign), "listnetworksresponse", 431, 4350, say(absent, "listnetworks", "id", foreign)},
		{"absent id", c.call("listVirtualMachines", "id", absentID), "listvirtualmachinesresponse", 431, 4350, say(absent, "listvirtualmachines", "id", absentID)},
		{"foreign network", c.call("deployVirtualMachine", "zoneid", ann.zone, "serviceofferingid", ann.offering, "templateid", ann.template,
			"networkids", foreign), "deployvirtualmachineresponse", 431, 4350, say(absent, "deployvirtualmachine", "networkids", foreign)},
		{"stopping the unknown", c.call("stopVirtualMachine", "id", absentID), "stopvirtualmachineresponse", 431, 4350, say(absent, "stopvirtualmachine", "id", absentID)},
		{
			"missing", c.call("deployVirtualMachine", "zoneid", ann.zone, "templateid", ann.template), "deployvirtualmachineresponse", 431, 4350,
			"Unable to execute API command deployvirtualmachine due to missing parameter serviceofferingid",
		},
		{
			"over-long", c.call("updateVirtualMachine", "id", vm, "displayname", strings.Repeat("x", 256)), "updatevirtualmachineresponse", 431, 4350,
			"Unable to execute API command updatevirtualmachine due to invalid value: value greater than max allowed length 255 for param: displayname",
		},
		{
			"no number", c.call("createNetwork", "name", "n", "zoneid", ann.zone, "networkofferingid", ann.networkOffering, "privatemtu", "many"),
			"createnetworkresponse", 431, 4350, "Unable to execute API command createnetwork due to invalid value many for parameter privatemtu",
		},
		{
			"a page alone", c.call("listVirtualMachines", "page", "1"), "listvirtualmachinesresponse", 431, 4350,
			`"pagesize" parameter is required when "page" is specified`,
		},
		{
			"too long a page", c.call("listVirtualMachines", "page", "1", "pagesize", "501"), "listvirtualmachinesresponse", 431, 4350,
			"Page size can not exceed max allowed page size value 500: 501",
		},
		{"unknown command", c.call("noSuchCommand"), "errorresponse", 432, 9999, ""},
		{"wrong case", c.call("listzones"), "errorresponse", 432, 9999, ""},
		{"no command", c.call(""), "errorresponse", 432, 9999, ""},
		{"not permitted", c.call("createZone", "name", "z"), "errorresponse", 432, 9999, ""},
		{"login by GET", s.raw("command=login&response=json&username=a&password=b"), "loginresponse", 405, 9999, ""},
		{"a bad map", c.call("deployVirtualMachine", "zoneid", ann.zone, "serviceofferingid", ann.offering,
			"templateid", ann.template, "details[x].a", "b"), "deployvirtualmachineresponse", 430, 9999, ""},
	} {
		f := r.a.failure(t)
		if f.envelope != r.envelope || f.Code != r.code || f.CS != r.cs || r.text != "" && f.Text != r.text || f.Text == "" {
			t.Errorf("%s: %+v, want %s %d %d %s", r.name, f, r.envelope, r.code, r.cs, r.text)
		}
	}
	if a := c.call("listNetworks", "unheardof", "1"); a.code != http.StatusOK {
		t.Errorf("a parameter that nobody knows is not ignored: %s", a.body)
	}
	if a := c.call("listNetworks", "name", strings.Repeat("x", 255)); a.code != http.StatusOK {
		t.Errorf("255 characters: %s", a.body)
	}
}
