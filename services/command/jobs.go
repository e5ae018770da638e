package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"

	"aerie/services/event"
	"aerie/services/job"
	"aerie/services/store"
)

// accept runs an async command's first half and starts its job. A clienttoken
// makes asking twice harmless: the second time answers the first one's job.
func (r *Registry) accept(ctx context.Context, c *Command, v url.Values, fn func(context.Context) (job.Spec, error)) (any, error) {
	token := tokenOf(ctx, c, v)
	if old, err := r.replayed(ctx, c, token); err != nil || old != nil {
		return result(old, err)
	}
	var out Accepted
	err := r.DB.Tx(ctx, func(ctx context.Context) error {
		n := &call{registry: r, command: c}
		ctx = context.WithValue(ctx, callKey{}, n)
		spec, err := fn(ctx)
		if err != nil {
			return err
		}
		if spec.Token == "" {
			spec.Token = token
		}
		row, err := r.Jobs.Submit(ctx, c.complete(spec, n, v))
		if err != nil {
			return err
		}
		out = c.accepted(row.ID, spec.ObjectID)
		return nil
	})
	if err == nil {
		return out, nil
	}
	if old, _ := r.replayed(ctx, c, token); old != nil { // the same request was faster
		return old, nil
	}
	return nil, err
}

func (c *Command) accepted(jobID, objectID string) Accepted {
	if c.Create {
		return Accepted{ID: objectID, JobID: jobID}
	}
	return Accepted{JobID: jobID}
}

// tokenOf is the request's token, of which another account's says nothing.
func tokenOf(ctx context.Context, c *Command, v url.Values) string {
	given := v.Get("clienttoken")
	if given == "" {
		return ""
	}
	actor, _ := store.From(ctx)
	sum := sha256.Sum256([]byte(actor.AccountID + "\x00" + c.Name + "\x00" + given))
	return hex.EncodeToString(sum[:16])
}

// replayed is the answer that a request with this token got before, or nil.
func (r *Registry) replayed(ctx context.Context, c *Command, token string) (any, error) {
	again, ok := r.Jobs.(interface {
		Replayed(ctx context.Context, token string) (*job.Row, error)
	})
	if token == "" || !ok {
		return nil, nil
	}
	// The token holds the account, so this finds nobody else's job; what was
	// created for another account is still the actor's own request.
	row, err := again.Replayed(store.System(ctx, "a token of the actor's own"), token)
	if err != nil || row == nil {
		return nil, err
	}
	return c.accepted(row.ID, row.ObjectID), nil
}

// Finish renders the result of a job that succeeded, as its command would have
// answered. It is job.Engine's hook of that name; the result is rendered for
// whom started the job.
func (r *Registry) Finish(ctx context.Context, row *job.Row) (json.RawMessage, error) {
	c := r.byName[row.Command]
	if c == nil { // a job of Aerie's own, or of a newer server's command
		return json.RawMessage(`{"success":true}`), nil
	}
	if c.view == nil {
		return c.Body(Everyone, OK), nil
	}
	actor := row.Actor()
	ctx = store.With(ctx, actor)
	if row.ActorWhy != "" {
		ctx = store.System(ctx, row.ActorWhy)
	}
	out, err := c.view(context.WithValue(ctx, callKey{}, &call{registry: r, command: c, job: row}), row.ObjectID)
	if err != nil {
		return nil, err
	}
	return r.rest(c, c.Body(RoleOf(actor.Rank), out))
}

// Finishing is the job whose result is being rendered, nil in any other call.
func Finishing(ctx context.Context) *job.Row { return callOf(ctx).job }

var phases = map[job.Phase]event.State{
	job.PhaseSubmitted: event.Scheduled, job.PhaseStarted: event.Started,
	job.PhaseSucceeded: event.Completed, job.PhaseFailed: event.Completed,
}

// Notify writes a job's events: scheduled, started, completed. It is
// job.Engine's hook of that name. The first one, which has the job's id, holds
// the others together.
func (r *Registry) Notify(ctx context.Context, row *job.Row, phase job.Phase) error {
	if row.Event == "" {
		return nil
	}
	owner := row.Owned.Owner()
	e := event.Event{
		Type: row.Event, State: phases[phase], JobID: row.ID, Owner: &owner,
		Resource: event.Resource{Kind: row.Object, ID: row.ObjectID, Name: row.ObjectName},
	}
	if phase == job.PhaseFailed {
		e.Level = event.Error
	}
	ctx = store.System(store.With(ctx, row.Actor()), "job event")
	if phase == job.PhaseSubmitted {
		e.ID = row.ID
	} else {
		e.StartID = row.ID
	}
	_, err := event.Log(ctx, r.DB, e)
	return err
}
