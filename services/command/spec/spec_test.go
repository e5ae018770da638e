package spec

import (
	"context"
	"slices"
	"testing"

	"aerie/services/command"
)

func TestEveryLineIsRead(t *testing.T) {
	all := Commands()
	if len(all) != 912 {
		t.Fatalf("%d commands", len(all))
	}
	params := 0
	for _, c := range all {
		params += len(c.Params)
	}
	if params != 5250 {
		t.Errorf("%d parameters", params)
	}
	deploy := all["deployVirtualMachine"]
	if !deploy.Async || !deploy.Create || deploy.Elem != "virtualmachine" || deploy.ElemUnsure {
		t.Errorf("got %+v", deploy)
	}
	i := slices.IndexFunc(deploy.Params, func(p Param) bool { return p.Name == "userdata" })
	if deploy.Params[i].Length != 1048576 {
		t.Errorf("user data: %+v", deploy.Params[i])
	}
	i = slices.IndexFunc(deploy.Fields, func(f Field) bool { return f.Name == "nic" })
	if deploy.Fields[i].Shape != 'a' || len(deploy.Fields[i].Fields) < 10 {
		t.Errorf("nic: %+v", deploy.Fields[i])
	}
	if all["getUploadParamsForVolume"].Envelope != "postuploadvolumeresponse" {
		t.Error("an odd envelope is lost")
	}
}

type request struct {
	Name bool   `json:"name" required:"true"`
	Type string `json:"type" max:"10"`
	ID   string `json:"id" type:"uuid"`
	command.Paging
}

type alert struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

func TestDifferences(t *testing.T) {
	c := command.New(command.Meta{Name: "listAlerts", Object: "alarm", Roles: command.Everyone},
		func(context.Context, request) (command.List[alert], error) { return command.List[alert]{}, nil })
	var got []string
	for _, p := range Differences(c) {
		got = append(got, p.What)
	}
	want := []string{"object", "param:name", "param:name", "param:type", "field:sent", "field:type"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	r := &command.Registry{}
	r.Add(c)
	left := Compare(r, Allow{"listAlerts": {"param:*": "a test", "object": "a test", "field:type": "a test", "field:sent": "a test", "async": "needless"}})
	if len(left) != 1 || left[0].What != "async" {
		t.Errorf("left %v", left)
	}
}
