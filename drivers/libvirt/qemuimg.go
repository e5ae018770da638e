//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"aerie/drivers"
)

const (
	formatQcow2 = "qcow2"
	formatRaw   = "raw"

	qemuImgKill = 5 * time.Second // between asking it to end and forcing it
)

// imageInfo is the part of qemu-img's report that decides whether to trust a file.
type imageInfo struct {
	Format  string `json:"format"`
	Bytes   int64  `json:"virtual-size"`
	Backing string `json:"backing-filename"`
	Special struct {
		Data struct {
			DataFile string `json:"data-file"`
		} `json:"data"`
	} `json:"format-specific"`
}

// alone says that the file refers to no other one: a crafted template could
// name any file of the host and so read it.
func (i imageInfo) alone() error {
	switch {
	case i.Backing != "":
		return fmt.Errorf("the image has a backing file %q", i.Backing)
	case i.Special.Data.DataFile != "":
		return fmt.Errorf("the image keeps its data in %q", i.Special.Data.DataFile)
	}
	return nil
}

// errLocked says that a running QEMU has the file open.
var errLocked = errors.New("the file is in use by a running machine")

// qemuImg runs qemu-img without a shell.
func qemuImg(ctx context.Context, args ...string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, "qemu-img", args...)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.Stdout, cmd.Stderr = &out, &complaint
	cmd.WaitDelay = qemuImgKill
	err := cmd.Run()
	if err == nil {
		return out.Bytes(), nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	text := strings.TrimSpace(complaint.String())
	var exit *exec.ExitError
	switch {
	case strings.Contains(text, "lock"):
		return nil, fmt.Errorf("%w: %s", errLocked, text)
	case errors.As(err, &exit) && text != "":
		return nil, fmt.Errorf("qemu-img %s: %s", args[0], text)
	}
	return nil, fmt.Errorf("qemu-img %s: %w", args[0], err)
}

// measure is how many bytes a file takes at most as a qcow2 of its own.
func measure(ctx context.Context, file, format string) (int64, error) {
	var size struct {
		Required int64 `json:"required"`
	}
	out, err := qemuImg(ctx, "measure", "--output=json", "-f", format, "-O", formatQcow2, "--", file)
	if err == nil {
		err = json.Unmarshal(out, &size)
	}
	return size.Required, err
}

// inspect reads a file as the stated format: probing would let a raw image pass
// itself off as any other.
func inspect(ctx context.Context, file, format string) (imageInfo, error) {
	var info imageInfo
	out, err := qemuImg(ctx, "info", "--output=json", "-f", format, "--", file)
	if err == nil {
		err = json.Unmarshal(out, &info)
	}
	if err == nil && info.Format != format {
		err = fmt.Errorf("the image is %s, not %s", info.Format, format)
	}
	return info, err
}

// inUse asks QEMU's own lock, which also knows machines of other hosts on a
// shared pool.
func inUse(ctx context.Context, file string) (bool, error) {
	_, err := qemuImg(ctx, "info", "--output=json", "-f", formatQcow2, "--", file)
	if errors.Is(err, errLocked) {
		return true, nil
	}
	if ctx.Err() != nil {
		return false, err
	}
	return false, nil // unreadable is not in use
}

// refused makes qemu-img's complaint about the request's own data Invalid.
func refused(op string, err error) error {
	if k := kindOf(err); err != nil && k == drivers.Internal {
		return drivers.Errorf(drivers.Invalid, op, "%w", err)
	}
	return wrap(op, err)
}
