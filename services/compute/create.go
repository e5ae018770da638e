package compute

import (
	"context"

	"aerie/services/job"
	"aerie/services/store"
)

// defineCreate is the job of an instance that is deployed without being
// started: its rows are all there is, and they are there.
func (s *Service) defineCreate() {
	job.Define(s.Jobs, "vm.create", job.Commit("created", func(ctx context.Context, b *boot) error {
		_, err := store.Find[VM](ctx, s.db, b.VM)
		return err
	}, nil))
}
