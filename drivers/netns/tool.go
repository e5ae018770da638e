package netns

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// patience is how long a program may take. dnsmasq and nft take milliseconds.
const patience = 15 * time.Second

// run runs a program inside the namespace with the given standard input.
func (s space) run(ctx context.Context, stdin, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(stdin)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second // a daemon may keep its parent's pipe a little longer
	// The child is born in the namespace of the thread that starts it.
	if err := s.do(cmd.Start); err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", program, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, firstLines(said.String()))
	}
	return nil
}

// firstLines shortens what a program said, which may quote its whole input.
func firstLines(s string) string {
	const most = 500
	s = strings.TrimSpace(s)
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
