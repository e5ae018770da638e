package network_test

import (
	"encoding/json"
	"fmt"

	"aerie/services/command"
	"aerie/services/job"
	"aerie/services/store"
)

func (w *world) decode(body []byte) (out map[string]any) {
	w.t.Helper()
	if err := json.Unmarshal(body, &out); err != nil {
		w.t.Fatalf("%s: %v", body, err)
	}
	return out
}

// finish works until the job has ended and returns its result.
func (w *world) finish(a command.Accepted) (map[string]any, error) {
	w.t.Helper()
	for range 50 {
		if _, err := w.engine.Once(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		row, err := store.Find[job.Row](store.System(w.t.Context(), "test"), w.db, a.JobID)
		if err != nil {
			w.t.Fatal(err)
		}
		if !row.Status.Live() {
			if row.Status != job.Succeeded {
				return nil, fmt.Errorf("job %s: %s", row.Kind, row.Error)
			}
			return w.decode(row.Result), nil
		}
	}
	return nil, fmt.Errorf("job %s does not end", a.JobID)
}
