package drivertest

import (
	"os"
	"testing"

	"aerie/drivers"
)

func (s *suite) diskHost(t *testing.T, host drivers.DiskHost) {
	if s.rig.Pool.Path == "" {
		t.Skip("the rig has no pool")
	}
	each(t, host, map[string]func(*testing.T, drivers.DiskHost){
		"pool":                          s.pool,
		"empty disk":                    s.emptyDisk,
		"disks grow and never shrink":   s.grow,
		"image and clones":              s.clones,
		"what is absent":                s.absentDisks,
		"a disk in use is not deleted":  s.diskInUse,
		"hostile requests are invalid":  s.hostileDisks,
		"an ended context ends calls":   s.cancelDisks,
		"a fresh driver finds the disk": s.reopenDisks,
	})
}

func (s *suite) pool(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	state := do(t, s, host.EnsurePool, s.rig.Pool)
	if state.Capacity <= 0 || state.Used < 0 || state.Available < 0 || state.Available > state.Capacity {
		t.Errorf("a pool of %+v", state)
	}
}

// findDisk looks a disk up in its pool's list.
func (s *suite) findDisk(t testing.TB, host drivers.DiskHost, id string) (drivers.DiskState, bool) {
	t.Helper()
	for _, d := range do(t, s, host.ListDisks, s.rig.Pool).Disks {
		if d.ID == id {
			return d, true
		}
	}
	return drivers.DiskState{}, false
}

// holds checks that the pool lists the disk with a size and an image.
func (s *suite) holds(t testing.TB, host drivers.DiskHost, id string, bytes int64, image string) {
	t.Helper()
	d, ok := s.findDisk(t, host, id)
	if !ok || d.Bytes != bytes || d.Image != image || d.Path == "" {
		t.Errorf("the pool has %+v (%v), want %s of %d bytes from image %q", d, ok, id, bytes, image)
	}
}

// makeDisk makes a disk and removes it at the test's end.
func (s *suite) makeDisk(t testing.TB, host drivers.DiskHost, spec drivers.DiskSpec) drivers.DiskState {
	t.Helper()
	t.Cleanup(func() { do(t, s, host.DeleteDisk, drivers.DiskRef{ID: spec.ID, Pool: spec.Pool}) })
	return do(t, s, host.EnsureDisk, spec)
}

func (s *suite) emptyDisk(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	spec := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: 1 << 30}
	first := s.makeDisk(t, host, spec)
	again := do(t, s, host.EnsureDisk, spec)
	if first.ID != spec.ID || first.Bytes != spec.Bytes || again.Path != first.Path {
		t.Errorf("made %+v, then %+v", first, again)
	}
	if first.Allocated >= spec.Bytes {
		t.Errorf("an empty disk takes %d bytes", first.Allocated)
	}
	s.holds(t, host, spec.ID, spec.Bytes, "")
	ref := drivers.DiskRef{ID: spec.ID, Pool: spec.Pool}
	do(t, s, host.DeleteDisk, ref)
	if d, ok := s.findDisk(t, host, spec.ID); ok {
		t.Errorf("deleted, but listed as %+v", d)
	}
	do(t, s, host.DeleteDisk, ref)
}

func (s *suite) grow(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	spec := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: 64 << 20}
	s.makeDisk(t, host, spec)
	for _, step := range []struct{ ask, want int64 }{
		{128 << 20, 128 << 20},
		{64 << 20, 128 << 20},
		{128 << 20, 128 << 20},
	} {
		spec.Bytes = step.ask
		if d := do(t, s, host.EnsureDisk, spec); d.Bytes != step.want {
			t.Errorf("asked for %d bytes it has %d, want %d", step.ask, d.Bytes, step.want)
		}
	}
	s.holds(t, host, spec.ID, 128<<20, "")
}

func (s *suite) clones(t *testing.T, host drivers.DiskHost) {
	if s.rig.Image.Path == "" {
		t.Skip("the rig has no image")
	}
	do(t, s, host.EnsurePool, s.rig.Pool)
	image := s.copyImage(t, t, host)
	source := drivers.ImageSpec{ID: image, Pool: s.rig.Pool, Source: s.rig.Image.Path, Format: s.rig.Image.Format}
	base := do(t, s, host.EnsureImage, source)
	if base.Bytes <= 0 || base.ID != image {
		t.Fatalf("an image of %+v", base)
	}
	s.holds(t, host, image, base.Bytes, "")

	same := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Image: image}
	s.makeDisk(t, host, same)
	s.holds(t, host, same.ID, base.Bytes, image)

	larger := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Image: image, Bytes: base.Bytes + 1<<30}
	s.makeDisk(t, host, larger)
	s.holds(t, host, larger.ID, larger.Bytes, image)

	smaller := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Image: image, Bytes: 1 << 20}
	s.makeDisk(t, host, smaller)
	s.holds(t, host, smaller.ID, base.Bytes, image)

	another := drivers.DiskSpec{ID: same.ID, Pool: s.rig.Pool, Bytes: base.Bytes}
	refuse(t, s, drivers.Invalid, host.EnsureDisk, another)

	for _, clone := range []string{same.ID, larger.ID, smaller.ID} {
		refuse(t, s, drivers.Busy, host.DeleteDisk, drivers.DiskRef{ID: image, Pool: s.rig.Pool})
		do(t, s, host.DeleteDisk, drivers.DiskRef{ID: clone, Pool: s.rig.Pool})
	}
	do(t, s, host.DeleteDisk, drivers.DiskRef{ID: image, Pool: s.rig.Pool})
	if d, ok := s.findDisk(t, host, image); ok {
		t.Errorf("deleted, but listed as %+v", d)
	}
}

func (s *suite) absentDisks(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	do(t, s, host.DeleteDisk, drivers.DiskRef{ID: newID(), Pool: s.rig.Pool})
	orphan := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Image: newID()}
	refuse(t, s, drivers.NotFound, host.EnsureDisk, orphan)
	lost := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: 1 << 20, Kept: true}
	refuse(t, s, drivers.NotFound, host.EnsureDisk, lost)
	for _, spec := range []drivers.DiskSpec{orphan, lost} {
		if _, ok := s.findDisk(t, host, spec.ID); ok {
			t.Errorf("%+v is there", spec)
		}
	}
	if _, err := os.Stat(s.rig.Image.Path); err != nil {
		return // the driver only pretends to read files
	}
	none := drivers.ImageSpec{ID: newID(), Pool: s.rig.Pool, Source: s.rig.Image.Path + ".absent", Format: "qcow2"}
	refuse(t, s, drivers.NotFound, host.EnsureImage, none)
	if _, ok := s.findDisk(t, host, none.ID); ok {
		t.Error("an image of nothing is there")
	}
}

func (s *suite) diskInUse(t *testing.T, host drivers.DiskHost) {
	spec := s.running(t)
	for _, d := range spec.Disks {
		refuse(t, s, drivers.Busy, host.DeleteDisk, drivers.DiskRef{ID: d.ID, Pool: d.Pool})
	}
}

func (s *suite) hostileDisks(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	for _, id := range noIDs {
		refuse(t, s, drivers.Invalid, host.EnsureDisk, drivers.DiskSpec{ID: id, Pool: s.rig.Pool, Bytes: 1 << 20})
		refuse(t, s, drivers.Invalid, host.DeleteDisk, drivers.DiskRef{ID: id, Pool: s.rig.Pool})
		refuse(t, s, drivers.Invalid, host.EnsureImage, drivers.ImageSpec{ID: id, Pool: s.rig.Pool, Source: "/x", Format: "raw"})
		if id != "" {
			refuse(t, s, drivers.Invalid, host.EnsureDisk, drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Image: id})
		}
	}
	for _, path := range noPaths {
		bad := s.rig.Pool
		bad.Path = path
		refuse(t, s, drivers.Invalid, host.EnsurePool, bad)
		refuse(t, s, drivers.Invalid, host.ListDisks, bad)
		refuse(t, s, drivers.Invalid, host.EnsureDisk, drivers.DiskSpec{ID: newID(), Pool: bad, Bytes: 1 << 20})
		refuse(t, s, drivers.Invalid, host.DeleteDisk, drivers.DiskRef{ID: newID(), Pool: bad})
		refuse(t, s, drivers.Invalid, host.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: s.rig.Pool, Source: path, Format: "raw"})
	}
	for _, format := range []string{"", "vmdk,backing", "qcow2\n", "../raw"} {
		refuse(t, s, drivers.Invalid, host.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: s.rig.Pool, Source: "/x", Format: format})
	}
	for _, bytes := range []int64{0, -1} {
		refuse(t, s, drivers.Invalid, host.EnsureDisk, drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: bytes})
	}
}

func (s *suite) cancelDisks(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	id := newID()
	cancelled(t, s, host.EnsurePool, s.rig.Pool)
	cancelled(t, s, host.EnsureDisk, drivers.DiskSpec{ID: id, Pool: s.rig.Pool, Bytes: 1 << 20})
	cancelled(t, s, host.EnsureImage, drivers.ImageSpec{ID: id, Pool: s.rig.Pool, Source: "/x", Format: "raw"})
	cancelled(t, s, host.DeleteDisk, drivers.DiskRef{ID: id, Pool: s.rig.Pool})
	cancelled(t, s, host.ListDisks, s.rig.Pool)
	if _, ok := s.findDisk(t, host, id); ok {
		t.Error("a cancelled call has made a disk")
	}
}

func (s *suite) reopenDisks(t *testing.T, host drivers.DiskHost) {
	do(t, s, host.EnsurePool, s.rig.Pool)
	spec := drivers.DiskSpec{ID: newID(), Pool: s.rig.Pool, Bytes: 32 << 20}
	s.makeDisk(t, host, spec)
	fresh, ok := drivers.As[drivers.DiskHost](s.rig.Open(t))
	if !ok {
		t.Fatal("opened again it keeps no disks")
	}
	s.holds(t, fresh, spec.ID, spec.Bytes, "")
	do(t, s, fresh.DeleteDisk, drivers.DiskRef{ID: spec.ID, Pool: spec.Pool})
	if _, ok := s.findDisk(t, host, spec.ID); ok {
		t.Error("the fresh driver deletes another disk")
	}
}
