//go:build libvirt_dlopen

package libvirt

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	virt "libvirt.org/go/libvirt"

	"aerie/drivers"
)

// DefineVM makes the machine known to libvirt, powered off. A machine that is
// off is redefined; a running one is left as it is.
func (d *Driver) DefineVM(ctx context.Context, spec drivers.VMSpec) (drivers.VMState, error) {
	op := "define " + spec.Name
	if err := spec.Check(); err != nil {
		return drivers.VMState{}, err
	}
	if s, err := d.state(ctx, op, spec.ID); err == nil && active(s.Power) {
		return s, nil
	} else if err != nil && drivers.KindOf(err) != drivers.NotFound {
		return s, err
	}
	kvm, err := d.accelerated(ctx)
	if err != nil {
		return drivers.VMState{}, wrap(op, err)
	}
	if err := os.MkdirAll(d.runDir, 0o711); err != nil {
		return drivers.VMState{}, wrap(op, err)
	}
	text, err := machine{VMSpec: spec, kvm: kvm, emulator: d.cfg.Emulator, runDir: d.runDir, cache: cacheMode}.xml()
	if err != nil {
		return drivers.VMState{}, wrap(op, err)
	}
	return call(ctx, d.link, op, func(c *virt.Connect) (drivers.VMState, error) { return define(c, spec, text) })
}

func define(c *virt.Connect, spec drivers.VMSpec, text string) (drivers.VMState, error) {
	if err := rename(c, spec); err != nil {
		return drivers.VMState{}, err
	}
	dom, err := c.DomainDefineXML(text)
	if err != nil {
		return drivers.VMState{}, err
	}
	defer dom.Free()
	return stateOf(dom)
}

// rename gives a machine that is off its new name, which a definition cannot.
func rename(c *virt.Connect, spec drivers.VMSpec) error {
	dom, err := c.LookupDomainByUUIDString(spec.ID)
	if isCode(err, virt.ERR_NO_DOMAIN) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dom.Free()
	if name, err := dom.GetName(); err != nil || name == spec.Name {
		return err
	}
	return dom.Rename(spec.Name, 0)
}

// cacheMode is "none" where the file system can do without the page cache,
// which migration needs; otherwise "writeback".
func cacheMode(file string) string {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_DIRECT, 0)
	if err == nil {
		_ = f.Close()
	}
	if errors.Is(err, syscall.EINVAL) {
		return "writeback"
	}
	return "none"
}

// undefineFlags forget everything that libvirt keeps about a machine; the
// second set is for libvirt drivers that know less.
var undefineFlags = []virt.DomainUndefineFlagsValues{
	virt.DOMAIN_UNDEFINE_MANAGED_SAVE | virt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
		virt.DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | virt.DOMAIN_UNDEFINE_NVRAM,
	virt.DOMAIN_UNDEFINE_MANAGED_SAVE | virt.DOMAIN_UNDEFINE_SNAPSHOTS_METADATA,
}

// UndefineVM powers off by force and forgets the machine; its disks stay.
func (d *Driver) UndefineVM(ctx context.Context, ref drivers.VMRef) (drivers.Done, error) {
	op := "undefine " + ref.ID
	if err := drivers.CheckID("undefine machine", ref.ID); err != nil {
		return drivers.Done{}, err
	}
	_, err := onDomain(ctx, d, op, ref.ID, func(dom *virt.Domain) (drivers.Done, error) {
		return drivers.Done{}, forget(dom)
	})
	if err != nil && drivers.KindOf(err) != drivers.NotFound {
		return drivers.Done{}, err
	}
	for _, file := range []string{serialSocket(d.runDir, ref.ID), bootLog(d.runDir, ref.ID)} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return drivers.Done{}, wrap(op, err)
		}
	}
	return drivers.Done{}, nil
}

// forget takes the most thorough flags that this libvirt driver knows.
func forget(dom *virt.Domain) error {
	if err := powerOff(dom); err != nil {
		return err
	}
	var err error
	for _, flags := range undefineFlags {
		if err = dom.UndefineFlags(flags); !isCode(err, virt.ERR_INVALID_ARG) {
			return err
		}
	}
	return err
}

// powerOff ends the machine's process; one that is off already is success.
func powerOff(dom *virt.Domain) error {
	err := dom.Destroy()
	if isCode(err, virt.ERR_OPERATION_INVALID) {
		return nil
	}
	return err
}
