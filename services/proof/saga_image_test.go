package proof_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"aerie/services/image"
	"aerie/services/proof"
)

// site is a web server with an image, which the world may reach.
func site(t testing.TB, content []byte) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }))
	t.Cleanup(s.Close)
	return s.URL + "/image.qcow2"
}

// trust lets the world download from this machine.
func trust(w *proof.World) {
	w.Helper()
	_, err := w.Config.Set(w.Sys(), "secstorage.allowed.internal.sites", "127.0.0.0/8")
	w.Must(err)
}

func register(url string, more ...string) []string {
	return append([]string{"name", "new", "url", url, "format", "QCOW2", "hypervisor", "Simulator", "zoneid", "-1"}, more...)
}

// registered is a template that is ready.
func registered(w *proof.World, url string) string {
	w.Helper()
	w.Call(w.Admin, "registerTemplate", register(url)...)
	w.Finish()
	id := w.ID(&image.Template{}, "name = ?", "new")
	if err := ready(w, id); err != nil {
		w.Fatal(err)
	}
	return id
}

func ready(w *proof.World, id string) error {
	if w.Count(&image.Copy{}, "template_id = ? AND state = ? AND percent = 100", id, image.Ready) != 1 {
		return errors.New("there is no ready copy")
	}
	if path := file(w, id); !proof.There(path) || len(parts(w, id)) > 0 {
		return fmt.Errorf("%s is not there, or its part", path)
	}
	return nil
}

func file(w *proof.World, id string) string { return filepath.Join(w.Images, id+".img") }

// parts are the files of downloads that have not arrived.
func parts(w *proof.World, id string) []string {
	w.Helper()
	list, err := filepath.Glob(file(w, id) + ".*")
	w.Must(err)
	return list
}

func remove(w *proof.World) func() {
	return func() {
		if w.Count(&image.Template{}, "name = ?", "new") > 0 {
			w.Call(w.Admin, "deleteTemplate", "id", w.ID(&image.Template{}, "name = ?", "new"))
		}
	}
}

func templateDownload(w *proof.World) proof.Case {
	url := site(w, qcow2(nil))
	trust(w)
	id := func() string { return w.ID(&image.Template{}, "name = ?", "new") }
	return proof.Case{
		Submit: w.Command("registerTemplate", register(url)...), After: remove(w),
		Whole: func() error { return ready(w, id()) },
		Empty: func() error {
			if w.Count(&image.Copy{}, "template_id = ? AND state = ?", id(), image.FailedCopy) != 1 {
				return errors.New("the copy has not failed")
			}
			if proof.There(file(w, id())) || len(parts(w, id())) > 0 {
				return errors.New("a file is left")
			}
			return nil
		},
	}
}

func templateDelete(w *proof.World) proof.Case {
	url := site(w, qcow2(nil))
	trust(w)
	id := registered(w, url)
	w.Call(w.Admin, "prepareTemplate", "templateid", id, "zoneid", w.Zone.ID)
	w.Finish()
	return proof.Case{
		Forward: true, Submit: w.Command("deleteTemplate", "id", id), After: remove(w),
		Whole: func() error {
			if n := w.Count(&image.Template{}, "id = ?", id) + w.Count(&image.Copy{}, "template_id = ?", id) + w.Count(&image.Base{}, "template_id = ?", id); n > 0 {
				return fmt.Errorf("%d rows are left", n)
			}
			if _, err := os.Stat(file(w, id)); err == nil {
				return errors.New("the file is left")
			}
			return nil
		},
	}
}

func templatePrepare(w *proof.World) proof.Case {
	url := site(w, qcow2(nil))
	trust(w)
	id := registered(w, url)
	return proof.Case{
		Submit: w.Command("prepareTemplate", "templateid", id, "zoneid", w.Zone.ID), After: remove(w),
		Whole: func() error {
			if w.Count(&image.Base{}, "template_id = ?", id) != 1 {
				return errors.New("there is no base")
			}
			return nil
		},
		Empty: func() error { return nil }, // a base that was made stays: it does no harm
	}
}
