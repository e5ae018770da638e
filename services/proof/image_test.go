package proof_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/proof"
)

// head is the head of a QCOW2 file, as its specification has it.
type head struct {
	Magic, Version          uint32
	Backing                 uint64
	BackingSize, ClusterBit uint32
	Size                    uint64
	Crypt, L1Size           uint32
	L1, Ref                 uint64
	RefClusters, Snapshots  uint32
	SnapOffset              uint64
	Incompatible            uint64
}

// qcow2 is a file of 1 GiB that change has tampered with.
func qcow2(change func(*head)) []byte {
	h := head{Magic: 0x514649fb, Version: 3, ClusterBit: 16, Size: 1 << 30}
	if change != nil {
		change(&h)
	}
	var b bytes.Buffer
	_ = binary.Write(&b, binary.BigEndian, h)
	b.Write(make([]byte, 65536-b.Len()))
	return b.Bytes()
}

func TestFilesAreWhatTheySay(t *testing.T) {
	good := qcow2(nil)
	w := proof.New(t)
	trust(w)
	for _, c := range []struct {
		name    string
		content []byte
		more    []string
		key     string
	}{
		{"qcow2", good, nil, ""},
		{"version 2", qcow2(func(h *head) { h.Version = 2 }), nil, ""},
		{"compression type", qcow2(func(h *head) { h.Incompatible = 1 << 3 }), nil, ""},
		{"raw", make([]byte, 4096), []string{"format", "RAW"}, ""},
		{"backing file", qcow2(func(h *head) { h.Backing, h.BackingSize = 104, 11 }), nil, "error.image_unsafe"},
		{"data file", qcow2(func(h *head) { h.Incompatible = 1 << 2 }), nil, "error.image_unsafe"},
		{"unknown feature", qcow2(func(h *head) { h.Incompatible = 1 << 63 }), nil, "error.image_unsafe"},
		{"dirty", qcow2(func(h *head) { h.Incompatible = 1 }), nil, "error.image_unsafe"},
		{"snapshots", qcow2(func(h *head) { h.Snapshots = 1 }), nil, "error.image_unsafe"},
		{"encryption", qcow2(func(h *head) { h.Crypt = 2 }), nil, "error.image_format"},
		{"version 4", qcow2(func(h *head) { h.Version = 4 }), nil, "error.image_format"},
		{"no size", qcow2(func(h *head) { h.Size = 0 }), nil, "error.image_too_large"},
		{"a petabyte", qcow2(func(h *head) { h.Size = 1 << 50 }), nil, "error.image_too_large"},
		{"a page of HTML", []byte("<!DOCTYPE html>"), nil, "error.image_format"},
		{"nothing", nil, nil, "error.image_format"},
		{"raw that is qcow2", good, []string{"format", "RAW"}, "error.image_format"},
		{"raw of odd length", make([]byte, 1000), []string{"format", "RAW"}, "error.image_format"},
		{"right checksum", good, []string{"checksum", "{SHA-256}" + sum(good)}, ""},
		{"bare checksum", good, []string{"checksum", sum(good)}, ""},
		{"wrong checksum", good, []string{"checksum", "{SHA-256}" + sum(nil)}, "error.checksum"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := w.In(t)
			w.Call(w.Admin, "registerTemplate", register(site(t, c.content), append([]string{"name", c.name}, c.more...)...)...)
			w.Finish()
			id := w.ID(&image.Template{}, "name = ?", c.name)
			var row job.Row
			w.Must(w.DB.In(w.Sys()).Take(&row, "kind = ? AND object_id = ?", "template.download", id).Error)
			if row.ErrorKey != c.key {
				t.Errorf("%q: %s, want %q", row.ErrorKey, row.Error, c.key)
			}
			if there := proof.There(file(w, id)); there != (c.key == "") || len(parts(w, id)) > 0 {
				t.Errorf("the file is there: %v", there)
			}
		})
	}
	w.Sound()
}

func TestWhatCouldNeverWorkIsRefused(t *testing.T) {
	w := proof.New(t)
	user := w.Account("acme", "user", iam.RoleUser)
	for _, c := range []struct {
		param string
		more  []string
	}{
		{"url", []string{"url", "file:///etc/passwd"}},
		{"url", []string{"url", "gopher://x/"}},
		{"url", []string{"url", "http:///x"}},
		{"format", []string{"format", "VMDK"}},
		{"checksum", []string{"checksum", "{SHA-256}abc"}},
		{"checksum", []string{"checksum", "{CRC}00"}},
		{"isfeatured", []string{"isfeatured", "true"}},
		{"zoneid", []string{"zoneid", w.DB.NewID()}},
	} {
		_, err := w.Try(user, "registerTemplate", register("http://example.com/a", c.more...)...)
		if f := fault.Of(err); f.Fields[c.param] == nil {
			t.Errorf("%v: %v, want a fault of %s", c.more, err, c.param)
		}
	}
	if n := w.Count(&image.Template{}, "type = ?", "USER"); n != 0 {
		t.Errorf("%d templates are left", n)
	}
}

// TestAnotherTry: what failed because of the far side works when that is mended.
func TestAnotherTry(t *testing.T) {
	w := proof.New(t)
	url := site(t, qcow2(nil))
	w.Call(w.Admin, "registerTemplate", register(url)...)
	w.Finish() // refused: this machine is not to be trusted yet
	id := w.ID(&image.Template{}, "name = ?", "new")
	if w.Count(&image.Copy{}, "template_id = ? AND state = ?", id, image.FailedCopy) != 1 {
		t.Fatal("it did not fail")
	}
	trust(w)
	w.Clock.Add(time.Minute)
	old := w.ID(&job.Row{}, "kind = ? AND object_id = ?", "template.download", id)
	_, err := w.Engine.Retry(w.Admin, old)
	w.Must(err)
	w.Finish()
	if err := ready(w, id); err != nil {
		t.Fatal(err)
	}
	vm := w.VM(w.Deploy(w.Admin, "web", "templateid", id))
	if vm.TemplateID != id || vm.HostID == "" {
		t.Errorf("deployed: %+v", vm)
	}
	w.Sound()
}

func sum(content []byte) string {
	h := sha256.Sum256(content)
	return hex.EncodeToString(h[:])
}
