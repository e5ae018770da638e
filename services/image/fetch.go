package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"aerie/services/fault"
	"aerie/services/guard"
)

// fetcher downloads what users name, behind the guard.
type fetcher struct {
	guard.Guard
	most  int64         // bytes
	stall time.Duration // without a byte
}

const (
	patience = 30 * time.Second // how long a site may stall
	deadline = 4 * time.Hour
)

// get downloads into a file beside its final name and returns how much came.
// tell hears of the progress in percent, -1 when the size is not known.
func (f fetcher) get(ctx context.Context, url, to string, tell func(done, total int64)) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, fault.Param("url", "error.url").Because(err)
	}
	resp, err := f.Client(guard.Options{Header: f.stall}).Do(req)
	if err != nil {
		return 0, guard.Fault(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fault.Param("url", "error.url_status", "status", resp.StatusCode)
	}
	if resp.ContentLength > f.most {
		return 0, fault.Param("url", "error.image_too_large", "max", f.most)
	}
	return f.store(cancel, resp, to, tell)
}

func (f fetcher) store(cancel context.CancelFunc, resp *http.Response, to string, tell func(done, total int64)) (n int64, err error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return 0, err
	}
	out, err := os.Create(to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	timer := time.AfterFunc(f.stall, cancel)
	defer timer.Stop()
	body := &watched{r: io.LimitReader(resp.Body, f.most+1), seen: func(done int64) {
		timer.Reset(f.stall)
		tell(done, resp.ContentLength)
	}}
	if n, err = io.Copy(out, body); err != nil {
		return n, guard.Fault(fmt.Errorf("download: %w", err))
	}
	switch {
	case n > f.most:
		return n, fault.Param("url", "error.image_too_large", "max", f.most)
	case resp.ContentLength >= 0 && n != resp.ContentLength:
		return n, fault.New(fault.Unavailable, "error.url_unreachable").Because(fmt.Errorf("%d of %d bytes", n, resp.ContentLength))
	}
	return n, out.Sync()
}

// watched tells how much was read.
type watched struct {
	r    io.Reader
	n    int64
	seen func(done int64)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	w.n += int64(n)
	if n > 0 {
		w.seen(w.n)
	}
	return n, err
}
