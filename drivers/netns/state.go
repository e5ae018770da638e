package netns

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"

	"aerie/drivers"
)

// saved is what a router's directory remembers. An empty Hash says that the
// last change was not finished and nothing may be taken for granted.
type saved struct {
	ID    string
	Hash  string
	Spec  drivers.RouterSpec // as wanted last
	Rules loaded
	Left  left // what the change has yet to clear away
}

// left is what an earlier spec leaves behind: established connections pass
// whatever the rules say now, and so does an empty bridge.
type left struct {
	All       bool // connections
	Addresses []netip.Addr
	Bridges   []string
}

// loaded is the packet filter that was loaded last.
type loaded struct {
	Print      string // fingerprint of its text
	Generation uint32 // see space.generation
	Space      uint64 // the namespace it is in
}

// fingerprint tells texts apart.
func fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// load reads what is saved of the router; a router that is new has nothing.
func (r router) load() (saved, error) {
	text, err := os.ReadFile(filepath.Join(r.dir, "state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return saved{}, nil
	}
	if err != nil {
		return saved{}, err
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		// A crash of the machine may leave an empty file; the router is gone, too.
		return saved{}, nil
	}
	if s.ID != r.id {
		return saved{}, drivers.Errorf(drivers.Busy, "router "+r.id, "router %s has the same short name %s", s.ID, r.name)
	}
	return s, nil
}

func (r router) save(s saved) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(r.dir, "state.json"), text)
}

// loadAll reads all routers that have files.
func (d *Driver) loadAll() ([]saved, error) {
	dirs, err := os.ReadDir(filepath.Join(d.dir, "routers"))
	if err != nil {
		return nil, err
	}
	var all []saved
	for _, dir := range dirs {
		text, err := os.ReadFile(filepath.Join(d.dir, "routers", dir.Name(), "state.json"))
		var s saved
		if errors.Is(err, fs.ErrNotExist) || err == nil && json.Unmarshal(text, &s) != nil {
			continue
		}
		if err != nil {
			return nil, err
		}
		if drivers.IsUUID(s.ID) && d.router(s.ID).name == dir.Name() {
			all = append(all, s)
		}
	}
	return all, nil
}

// replaceFile writes a file so that a reader sees the old text or the new one.
func replaceFile(path string, text []byte) error {
	temp := path + ".new"
	if err := os.WriteFile(temp, text, 0o600); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return nil
}

// changeFile writes a file unless it has this text and tells whether it did.
func changeFile(path, text string) (bool, error) {
	if was, err := os.ReadFile(path); err == nil && string(was) == text {
		return false, nil
	}
	return true, replaceFile(path, []byte(text))
}
