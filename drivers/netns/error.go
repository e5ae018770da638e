package netns

import (
	"context"
	"errors"
	"net"
	"syscall"

	"github.com/vishvananda/netlink"

	"aerie/drivers"
)

var kinds = []struct {
	cause error
	kind  drivers.Kind
}{
	{context.Canceled, drivers.Unreachable},
	{context.DeadlineExceeded, drivers.Unreachable},
	{net.ErrClosed, drivers.Unreachable},
	{syscall.EBUSY, drivers.Busy},
	{syscall.EADDRINUSE, drivers.Busy},
	{syscall.ENOSPC, drivers.NoSpace},
	{syscall.EDQUOT, drivers.NoSpace},
	{syscall.EPERM, drivers.Unsupported},
}

// kindOf tells what an error of the kernel or of a program means.
func kindOf(err error) drivers.Kind {
	for _, k := range kinds {
		if errors.Is(err, k.cause) {
			return k.kind
		}
	}
	return drivers.Internal
}

// missing tells that a link is not there.
func missing(err error) bool {
	var none netlink.LinkNotFoundError
	return errors.As(err, &none)
}
