//go:build libvirt_dlopen

package libvirt

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aerie/drivers"
)

func needQemuImg(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err == nil {
		return
	}
	if os.Getenv("AERIE_TEST_REQUIRE") == "all" {
		t.Fatal("qemu-img is not installed")
	}
	t.Skip("qemu-img is not installed")
}

// img runs qemu-img for a test's own files.
func img(t testing.TB, args ...string) {
	t.Helper()
	if _, err := qemuImg(t.Context(), args...); err != nil {
		t.Fatal(err)
	}
}

func TestImagesThatNameOtherFilesAreRefused(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	pool := newPool(t, d)
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	backed, split := filepath.Join(dir, "backed.qcow2"), filepath.Join(dir, "split.qcow2")
	img(t, "create", "-q", "-f", "qcow2", "-F", "raw", "-b", secret, backed)
	img(t, "create", "-q", "-f", "qcow2", "-o", "data_file="+filepath.Join(dir, "data")+",data_file_raw=on", split, "1M")
	for _, source := range []string{backed, split} {
		err := fails(t, drivers.Invalid, d.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: pool, Source: source, Format: formatQcow2})
		if err != nil && !strings.Contains(err.Error(), "the image ") {
			t.Errorf("%s: %v", source, err)
		}
	}
	if left := files(t, filepath.Join(pool.Path, imageDir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A raw image whose first bytes are a qcow2 header is data, not a qcow2 image.
func TestRawStaysRaw(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	pool := newPool(t, d)
	file := filepath.Join(t.TempDir(), "x")
	img(t, "create", "-q", "-f", "qcow2", file, "1G")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	image := must(t, d.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: pool, Source: file, Format: formatRaw})
	if image.Bytes >= 1<<30 || image.Bytes < info.Size() {
		t.Errorf("as raw it has %d bytes, the file has %d", image.Bytes, info.Size())
	}
	if fails(t, drivers.Invalid, d.EnsureImage, drivers.ImageSpec{
		ID: newID(), Pool: pool, Source: sectorFile(t, nil), Format: formatQcow2,
	}) == nil {
		t.Error("a raw file passes for qcow2")
	}
}

func TestCompressedImagesAreInflated(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	pool := newPool(t, d)
	packed := filepath.Join(t.TempDir(), "packed.qcow2")
	img(t, "convert", "-f", "raw", "-O", "qcow2", "-c", sectorFile(t, probeProgram), packed)
	spec := drivers.ImageSpec{ID: newID(), Pool: pool, Source: packed, Format: formatQcow2}
	begin := time.Now()
	first := must(t, d.EnsureImage, spec)
	t.Logf("copied in %v", time.Since(begin))
	if again := must(t, d.EnsureImage, spec); again != first || first.Path != imageFile(pool, spec.ID) || first.Bytes != 4<<20 {
		t.Errorf("%+v, then %+v", first, again)
	}
	if out, err := qemuImg(t.Context(), "check", "-f", "qcow2", "--output=json", first.Path); err != nil || strings.Contains(string(out), "compressed-clusters\": 1") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestDiskOfAnotherImageIsRefused(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	pool := newPool(t, d)
	disk := sectorDisk(t, d, pool, probeProgram)
	fails(t, drivers.Invalid, d.EnsureDisk, drivers.DiskSpec{ID: disk, Pool: pool, Bytes: 1 << 20})
	fails(t, drivers.Invalid, d.EnsureDisk, drivers.DiskSpec{ID: newID(), Pool: pool, Bytes: 1 << 62})
	if left := files(t, pool.Path); len(left) != 3 { // the mark, the disk and the images
		t.Errorf("the pool holds %v", left)
	}
}

func TestPoolsQEMUCannotReach(t *testing.T) {
	d := openReal(t)
	locked := filepath.Join(labDir(t, "locked"), "0700")
	if err := os.Mkdir(locked, 0o700); err != nil {
		t.Fatal(err)
	}
	pool := drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(locked, "pool")}
	err := fails(t, drivers.Invalid, d.EnsurePool, pool)
	if err != nil && !strings.Contains(err.Error(), locked+":") {
		t.Errorf("the error does not name %s: %v", locked, err)
	}
	other, err := PoolDir(pool.Path)
	if err != nil || !strings.HasPrefix(other, aerieDir+"/") {
		t.Errorf("instead of it %s, %v", other, err)
	}
	if again, _ := PoolDir(pool.Path); again != other {
		t.Errorf("first %s, then %s", other, again)
	}
}

func TestPoolTypes(t *testing.T) {
	d := openReal(t)
	dir := labDir(t, "types")
	absent := drivers.Pool{ID: newID(), Type: "SharedMountPoint", Path: filepath.Join(dir, "absent")}
	fails(t, drivers.NotFound, d.EnsurePool, absent)
	fails(t, drivers.Unsupported, d.EnsurePool, drivers.Pool{ID: newID(), Type: "RBD", Path: dir})
	must(t, d.EnsurePool, drivers.Pool{ID: newID(), Type: "SharedMountPoint", Path: dir})
	if len(must(t, d.ListDisks, absent).Disks) != 0 {
		t.Error("an absent pool has disks")
	}
	inFile := filepath.Join(dir, "file")
	if err := os.WriteFile(inFile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, drivers.Invalid, d.EnsurePool, drivers.Pool{ID: newID(), Type: "Filesystem", Path: inFile})
}

func TestOldHalfMadeFilesAreSwept(t *testing.T) {
	d := openReal(t)
	pool := newPool(t, d)
	old, fresh := filepath.Join(pool.Path, ".old.tmp"), filepath.Join(pool.Path, ".fresh.tmp")
	long := time.Now().Add(-2 * tempLife)
	if err := errors.Join(os.WriteFile(old, nil, 0o600), os.WriteFile(fresh, nil, 0o600), os.Chtimes(old, long, long)); err != nil {
		t.Fatal(err)
	}
	must(t, d.EnsurePool, pool)
	if got := files(t, pool.Path); !slices.Equal(got, []string{".aerie-pool", ".fresh.tmp", "images"}) {
		t.Errorf("left are %v, want the pool's mark, the fresh one and the images", got)
	}
}

func TestFullPoolIsNoSpace(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	dir := labDir(t, "full")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	pool := drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(dir, "p")}
	must(t, d.EnsurePool, pool)
	noise := filepath.Join(t.TempDir(), "noise")
	data := make([]byte, 2<<20)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	if err := os.WriteFile(noise, data, 0o600); err != nil {
		t.Fatal(err)
	}
	fails(t, drivers.NoSpace, d.EnsureImage, drivers.ImageSpec{ID: newID(), Pool: pool, Source: noise, Format: formatRaw})
	if left := files(t, filepath.Join(pool.Path, imageDir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestImageBomb: an image that unpacks to more than the pool has does not fill
// it first.
func TestImageBomb(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	dir := labDir(t, "bomb")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	pool := drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(dir, "p")}
	must(t, d.EnsurePool, pool)
	plain, bomb := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "bomb")
	if err := os.WriteFile(plain, bytes.Repeat([]byte("a"), 64<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := qemuImg(soon(t), "convert", "-c", "-O", formatQcow2, "--", plain, bomb); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(bomb); err != nil || info.Size() > 4<<20 {
		t.Fatalf("the bomb is too big for its purpose: %v %v", info.Size(), err)
	}
	spec := drivers.ImageSpec{ID: newID(), Pool: pool, Source: bomb, Format: formatQcow2}
	if err := fails(t, drivers.NoSpace, d.EnsureImage, spec); !strings.Contains(err.Error(), "unpacks to") {
		t.Error("refused only when the pool was full:", err)
	}
	if left := files(t, filepath.Join(pool.Path, imageDir)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestImagesAtOnce: two images that fit one by one do not fill the pool together.
func TestImagesAtOnce(t *testing.T) {
	needQemuImg(t)
	d := openReal(t)
	dir := labDir(t, "twins")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=32m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	pool := drivers.Pool{ID: newID(), Type: "Filesystem", Path: filepath.Join(dir, "p")}
	must(t, d.EnsurePool, pool)
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, bytes.Repeat([]byte("a"), 20<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := drivers.ImageSpec{ID: newID(), Pool: pool, Source: source, Format: formatRaw}
	folder := filepath.Join(pool.Path, imageDir)
	release, err := d.room(soon(t), "test", spec, folder) // another is at work
	if err != nil {
		t.Fatal(err)
	}
	fails(t, drivers.NoSpace, d.EnsureImage, spec)
	release()
	must(t, d.EnsureImage, spec)
}

func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
