//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"syscall"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

var virtKinds = map[virt.ErrorNumber]drivers.Kind{
	virt.ERR_NO_DOMAIN: drivers.NotFound,

	virt.ERR_OPERATION_TIMEOUT:  drivers.Busy,
	virt.ERR_OPERATION_INVALID:  drivers.Busy,
	virt.ERR_OPERATION_ABORTED:  drivers.Busy,
	virt.ERR_RESOURCE_BUSY:      drivers.Busy,
	virt.ERR_AGENT_UNRESPONSIVE: drivers.Busy,

	virt.ERR_NO_CONNECT:       drivers.Unreachable,
	virt.ERR_INVALID_CONN:     drivers.Unreachable,
	virt.ERR_RPC:              drivers.Unreachable,
	virt.ERR_AUTH_FAILED:      drivers.Unreachable,
	virt.ERR_AUTH_CANCELLED:   drivers.Unreachable,
	virt.ERR_AUTH_UNAVAILABLE: drivers.Unreachable,

	virt.ERR_NO_SUPPORT:            drivers.Unsupported,
	virt.ERR_CONFIG_UNSUPPORTED:    drivers.Unsupported,
	virt.ERR_OPERATION_UNSUPPORTED: drivers.Unsupported,
	virt.ERR_ARGUMENT_UNSUPPORTED:  drivers.Unsupported,

	virt.ERR_INVALID_ARG:        drivers.Invalid,
	virt.ERR_XML_ERROR:          drivers.Invalid,
	virt.ERR_XML_DETAIL:         drivers.Invalid,
	virt.ERR_XML_INVALID_SCHEMA: drivers.Invalid,
	virt.ERR_DOM_EXIST:          drivers.Invalid,
}

// wrap makes any error a drivers.Error of the right kind; nil stays nil.
func wrap(op string, err error) error {
	var done *drivers.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &done):
		return err
	}
	return drivers.Errorf(kindOf(err), op, "%w", err)
}

func kindOf(err error) drivers.Kind {
	var ve virt.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return drivers.Unreachable
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), outOfSpace(err.Error()):
		return drivers.NoSpace
	case errors.As(err, &ve):
		return kindOfVirt(ve)
	case errors.Is(err, fs.ErrNotExist):
		return drivers.NotFound
	}
	return drivers.Internal
}

func kindOfVirt(err virt.Error) drivers.Kind {
	if connectionLost(err) {
		return drivers.Unreachable
	}
	if k, ok := virtKinds[err.Code]; ok {
		return k
	}
	if err.Code == virt.ERR_OPERATION_FAILED && strings.Contains(err.Message, "already exists with uuid") {
		return drivers.Invalid // the name is taken by another machine
	}
	return drivers.Internal
}

// connectionLost says that the error came from the way to libvirtd and not from
// libvirtd itself.
func connectionLost(err error) bool {
	var ve virt.Error
	return errors.As(err, &ve) && (ve.Domain == virt.FROM_RPC ||
		ve.Code == virt.ERR_NO_CONNECT || ve.Code == virt.ERR_INVALID_CONN || ve.Code == virt.ERR_RPC)
}

func outOfSpace(text string) bool {
	return strings.Contains(text, "No space left on device") || strings.Contains(text, "Disk quota exceeded")
}

func isCode(err error, codes ...virt.ErrorNumber) bool {
	var ve virt.Error
	if !errors.As(err, &ve) {
		return false
	}
	for _, code := range codes {
		if ve.Code == code {
			return true
		}
	}
	return false
}

// invalid refuses a request before anything was touched.
func invalid(op, format string, args ...any) error {
	return drivers.Errorf(drivers.Invalid, op, format, args...)
}
