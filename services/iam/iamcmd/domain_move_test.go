package iamcmd_test

import (
	"testing"

	"aerie/services/fault"
)

func TestMoveDomain(t *testing.T) {
	w := newWorld(t)
	east := field(w.ok(w.admin, "createDomain", "name=east"), "domain", "id")
	west := field(w.ok(w.admin, "createDomain", "name=west"), "domain", "id")
	got := w.ok(w.admin, "moveDomain", "domainid="+west, "parentdomainid="+east)
	if field(got, "domain", "path") != "ROOT/east/west" || field(got, "domain", "parentdomainid") != east {
		t.Error(got)
	}
	if _, err := w.call(w.admin, "moveDomain", "domainid="+east, "parentdomainid="+west); fault.Of(err).Key != "error.domain_cycle" {
		t.Error("below itself:", err)
	}
	w.ok(w.admin, "createAccount", "username=boss", "password=pw", "firstname=B", "lastname=B", "email=b", "accounttype=2", "domainid="+east)
	if _, err := w.call(w.as("east", "boss"), "moveDomain", "domainid="+west, "parentdomainid="+east); err == nil {
		t.Error("a domain admin moves domains")
	}
}

func TestMarkDefaultZoneForAccount(t *testing.T) {
	w := newWorld(t)
	d := field(w.ok(w.admin, "createDomain", "name=dept"), "domain", "id")
	w.ok(w.admin, "createAccount", "username=ann", "password=pw", "firstname=A", "lastname=B", "email=a", "accounttype=0", "domainid="+d)
	got := w.ok(w.admin, "markDefaultZoneForAccount", "account=ann", "domainid="+d, "zoneid="+someZone)
	if field(got, "account", "defaultzoneid") != someZone {
		t.Error(got)
	}
	if _, err := w.call(w.admin, "markDefaultZoneForAccount", "account=ann", "domainid="+d, "zoneid="+d); err == nil {
		t.Error("a zone that is none")
	}
}
