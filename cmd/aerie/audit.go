package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"aerie/services/audit"
	"aerie/services/infra"
	"aerie/services/store"
)

type auditCommand struct {
	state
	JSON  bool          `name:"json" help:"Print the findings as JSON."`
	Pause time.Duration `help:"Between the two looks; only what is seen in both is told." default:"2s"`
}

// Run audits, beside a running server or without one. What is found makes it fail.
func (c auditCommand) Run(ctx context.Context, out io.Writer) error {
	if path, lite := strings.CutPrefix(c.dsn(), "sqlite:"); lite {
		if _, err := os.Stat(path); err != nil { // opening would make it
			return fmt.Errorf("no database to audit: %w", err)
		}
	}
	a, err := open(ctx, c.state, logger(os.Stderr))
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.ready(ctx); err != nil {
		return err
	}
	if err := a.fits(ctx, a.db); err != nil {
		return err
	}
	a.node.look = true
	found, skipped, err := a.audit(ctx, c.Pause)
	if err := errors.Join(c.print(out, found, skipped), err); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("%d findings", len(found))
	}
	return nil
}

// audit looks at everything this process can see, and names the hosts that it
// cannot: a simulated data centre is in its server's memory.
func (a *app) audit(ctx context.Context, pause time.Duration) (found []audit.Finding, skipped []string, err error) {
	sys := store.System(ctx, "audit")
	hosts, err := a.hosts(ctx)
	if err != nil {
		return nil, nil, err
	}
	elsewhere := func(h infra.Host) bool { return strings.HasPrefix(h.URL, "sim:") && a.node.look }
	for _, h := range hosts {
		if elsewhere(h) {
			skipped = append(skipped, h.Name)
		}
	}
	found, err = audit.Run(sys, audit.Parts{DB: a.db, Fleet: a.fleet, IAM: a.iam, Skip: elsewhere, Suffix: a.compute.Settings.Suffix(sys), Pause: pause})
	return found, skipped, err
}

func (c auditCommand) print(out io.Writer, found []audit.Finding, skipped []string) error {
	if c.JSON {
		return printJSON(out, found)
	}
	for _, f := range found {
		fmt.Fprintf(out, "%s\t%s\n\t%s\n", f.Rule, f.Text, f.Subject)
	}
	if len(skipped) > 0 {
		fmt.Fprintf(out, "not compared, for they are simulated in the server's memory: %s\n", strings.Join(skipped, ", "))
	}
	if len(found) == 0 {
		fmt.Fprintf(out, "%d checks, no findings\n", audit.Rules())
	}
	return nil
}
