package command

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"aerie/services/job"
	"aerie/services/store"
)

// sealed begins the text that stands for a result with secrets in it. Results
// are objects, so that no other one is a text.
const sealed = "sealed:"

// tellsSecrets tells whether a result may hold what only who asked is shown.
func (c *Command) tellsSecrets() bool { return secretive(c.Result) }

func secretive(fields []Field) bool {
	return slices.ContainsFunc(fields, func(f Field) bool { return f.Secret || secretive(f.Fields) })
}

// rest is a result as it is kept: sealed as a whole when it may tell secrets.
func (r *Registry) rest(c *Command, body []byte) ([]byte, error) {
	if !c.tellsSecrets() {
		return body, nil
	}
	text, err := r.DB.Seal(string(body))
	if err != nil {
		return nil, err
	}
	return json.Marshal(sealed + string(text))
}

// JobResult is a job's result for who reads it: secrets are for the user that
// asked for the job, and not for who looks on as that user.
func (r *Registry) JobResult(ctx context.Context, row *job.Row) (json.RawMessage, error) {
	body := []byte(row.Result)
	if bytes.HasPrefix(body, []byte(`"`+sealed)) {
		var text string
		if err := json.Unmarshal(body, &text); err != nil {
			return nil, err
		}
		plain, err := r.DB.Reveal(store.Secret(text[len(sealed):]))
		if err != nil {
			return nil, err
		}
		body = []byte(plain)
	}
	c := r.byName[row.Command]
	if reader, _ := store.From(ctx); c != nil && (reader.UserID != row.ActorUserID || reader.ReadOnly) {
		body = c.Conceal(body)
	}
	return body, nil
}
