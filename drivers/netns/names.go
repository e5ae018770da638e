package netns

import (
	"crypto/sha256"
	"net"
	"path/filepath"
	"strings"
)

// router is the names of what one router consists of. They are made of its ID
// alone, so that it can be removed even when its files are lost.
type router struct {
	id     string
	name   string // namespace and state directory
	guest  string // host's end of the guest leg
	public string // host's end of the public leg
	dir    string
	grave  string // the file that remembers its removal
}

// The router's ends of its legs, inside its namespace.
const (
	guestLink  = "guest"
	publicLink = "public"
)

// router names a router: the prefix, a letter and the end of the UUID, which
// fits Linux's 15 characters (IFNAMSIZ). In a UUIDv7 the end is random.
func (d *Driver) router(id string) router {
	hex := strings.ReplaceAll(id, "-", "")
	tail := hex[len(hex)-min(12, 14-len(d.prefix)):]
	name := d.prefix + "r" + tail
	return router{
		id: id, name: name, guest: d.prefix + "g" + tail, public: d.prefix + "p" + tail,
		dir: filepath.Join(d.dir, "routers", name), grave: filepath.Join(d.dir, removedDir, name),
	}
}

// guestMAC stays the same when the router is built anew, so that guests need
// not learn it again.
func (r router) guestMAC() net.HardwareAddr {
	sum := sha256.Sum256([]byte("guest leg of " + r.id))
	return append(net.HardwareAddr{0x02}, sum[:5]...)
}

// alias marks bridges as made by this driver.
func (d *Driver) alias(kind string) string { return "aerie/" + d.prefix + "/" + kind }

// The kinds of bridges, as their alias says.
const (
	aliasGuest  = "guest"  // a bridge made for a router, which goes with it
	aliasBridge = "bridge" // a bridge that was asked for
)
