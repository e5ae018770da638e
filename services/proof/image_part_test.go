package proof_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"aerie/services/image"
	"aerie/services/job"
	"aerie/services/proof"
)

// TestStalledDownload: a worker that was stalled goes on writing when its job
// has been taken over, and what the other one brought stays as it is.
func TestStalledDownload(t *testing.T) {
	w := proof.New(t)
	trust(w)
	good := append(qcow2(nil), bytes.Repeat([]byte("good"), 1<<18)...)
	s := &slowSite{content: good, asked: make(chan struct{}), goOn: make(chan struct{})}
	url := httptest.NewServer(s)
	t.Cleanup(url.Close)
	w.Call(w.Admin, "registerTemplate", register(url.URL)...)
	id := w.ID(&image.Template{}, "name = ?", "new")
	stalled := make(chan error, 1)
	go func() { _, err := w.Engine.Once(t.Context()); stalled <- err }()
	<-s.asked
	other := *w
	other.Server = w.NewServer(job.New(w.DB, job.Options{Name: "b"}))
	w.Clock.Add(time.Minute)
	other.Finish()
	if err := ready(w, id); err != nil {
		t.Error(err)
	}
	close(s.goOn)
	if err := <-stalled; err != nil {
		t.Error(err)
	}
	if have, err := os.ReadFile(file(w, id)); err != nil || !bytes.Equal(have, good) {
		t.Errorf("the stalled worker has written into the other's file: %d bytes, %v", len(have), err)
	}
	if err := ready(w, id); err != nil {
		t.Error(err)
	}
	w.Sound()
}

// slowSite stalls in the middle of its first answer, and ends it with something
// else.
type slowSite struct {
	content     []byte
	calls       atomic.Int32
	asked, goOn chan struct{}
}

func (s *slowSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.calls.Add(1) > 1 {
		_, _ = w.Write(s.content)
		return
	}
	half := len(s.content) / 2
	_, _ = w.Write(s.content[:half])
	w.(http.Flusher).Flush()
	close(s.asked)
	select {
	case <-s.goOn:
	case <-r.Context().Done():
	}
	_, _ = w.Write(bytes.Repeat([]byte("evil"), (len(s.content)-half)/4))
}

// TestLeftOverParts: what killed workers leave goes with the next attempt, with
// the undo and with the template; what belongs to a later one stays.
func TestLeftOverParts(t *testing.T) {
	w := proof.New(t)
	for _, c := range []struct {
		name    string
		trusted bool
	}{{"arrives", true}, {"fails", false}} {
		t.Run(c.name, func(t *testing.T) {
			w := w.In(t)
			if c.trusted {
				trust(w)
			}
			w.Call(w.Admin, "registerTemplate", register(site(t, qcow2(nil)))...)
			id := w.ID(&image.Template{}, "name = ?", "new")
			first := w.ID(&job.Row{}, "kind = ? AND object_id = ?", "template.download", id)
			later := file(w, id) + ".ffffffff-ffff-7fff-8fff-ffffffffffff-0000000001.part"
			for _, path := range []string{
				file(w, id) + ".00000000-0000-7000-8000-000000000000-0000000009.part", file(w, id) + "." + first + "-0000000000.part", later,
			} {
				w.Must(os.WriteFile(path, []byte("left"), 0o600))
			}
			w.Finish()
			if left := parts(w, id); len(left) != 1 || left[0] != later {
				t.Errorf("left: %v", left)
			}
			if proof.There(file(w, id)) != c.trusted {
				t.Error("the file is there, or not")
			}
			w.Call(w.Admin, "deleteTemplate", "id", id)
			w.Finish()
			if left := parts(w, id); len(left) > 0 || proof.There(file(w, id)) {
				t.Errorf("of a deleted template are left %v", left)
			}
			_, err := w.Config.Set(w.Sys(), "secstorage.allowed.internal.sites", "")
			w.Must(err)
		})
	}
	w.Sound()
}
