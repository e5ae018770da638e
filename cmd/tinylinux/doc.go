// Package tinylinux names the guest image which build.sh makes: a small Linux
// of Debian's packages which boots in seconds even without hardware help. The
// image is a template for trying out Aerie and for its tests; see README.md.
package tinylinux

// What a template registered from the image is called, and how one logs in on
// the console of an instance that was given neither password nor key.
const (
	Name     = "Aerie Tiny Linux"
	Format   = "QCOW2"
	OSType   = "Other Linux (64-bit)"
	User     = "aerie"
	Password = "aerie"
)

// Path is where `make guest` puts the image, below the repository's root.
const Path = "var/cache/tiny.qcow2"

// MinMemory and MinDisk are what an instance needs at least, in MiB.
const (
	MinMemory = 96
	MinDisk   = 78
)

// Ready begins the one line on both consoles which ends the boot:
// "aerie-tiny: ready host=<name> ip=<address>".
const Ready = "aerie-tiny: ready "
