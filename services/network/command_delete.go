package network

import (
	"context"

	"aerie/services/command"
	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/job"
	"aerie/services/state"
	"aerie/services/store"
)

// DeleteRequest names a network to delete.
type DeleteRequest struct {
	ID     string `json:"id" ref:"network" required:"true" doc:"the network"`
	Forced bool   `json:"forced" doc:"accepted for compatibility: a network in use stays"`
}

func (s *Service) defineDelete() {
	job.Define(s.jobs, "network.delete",
		job.Do("router", func(ctx context.Context, w *work) error { return s.TakeDown(ctx, w.Network) }, nil),
		job.Commit("gone", s.gone, nil)).Forward()
}

func (s *Service) deleteCommand() *command.Command {
	m := meta("deleteNetwork", "NETWORK.DELETE", "Deletes a network that no instance is in")
	m.Object = ""
	return command.Async[DeleteRequest, command.Success](m, func(ctx context.Context, r DeleteRequest) (job.Spec, error) {
		n, err := s.visible(ctx, r.ID)
		if err != nil {
			return job.Spec{}, err
		}
		return s.DeleteJob(ctx, &n)
	}, nil)
}

// DeleteJob takes a network out of use and says which job does the rest. It
// belongs in the transaction that submits the job.
func (s *Service) DeleteJob(ctx context.Context, n *Network) (job.Spec, error) {
	if err := state.Move(ctx, s.db, n, States, Delete); err != nil {
		return job.Spec{}, err
	}
	// After the row is taken: who adds a card holds it.
	used, err := s.InUse(store.System(ctx, "cards of any owner"), n.ID)
	if err != nil {
		return job.Spec{}, err
	}
	if used > 0 {
		return job.Spec{}, fault.Param("id", "error.holds.nics", "name", n.Name, "n", used)
	}
	return n.job("network.delete", work{Network: n.ID}), nil
}

// gone forgets the network and stops counting it.
func (s *Service) gone(ctx context.Context, w *work) error {
	n, err := store.Find[Network](ctx, s.db, w.Network)
	if store.IsAbsent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.Forget(ctx, n.ID); err != nil {
		return err
	}
	return s.iam.Release(ctx, n.Owner(), iam.Networks, 1)
}
