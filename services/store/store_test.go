package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
	"gorm.io/gorm"

	"aerie/services/fault"
	"aerie/services/store"
	"aerie/services/store/storetest"
)

func TestTxIsAllOrNothing(t *testing.T) {
	db := world(t)
	sys := store.System(t.Context(), "test")
	boom := errors.New("boom")
	ran := false
	err := db.Tx(sys, func(ctx context.Context) error {
		db.AfterCommit(ctx, func() { ran = true })
		must(t, db.Tx(ctx, func(ctx context.Context) error { // joins
			return db.In(ctx).Create(&place{"p", "p"}).Error
		}))
		return boom
	})
	if !errors.Is(err, boom) || ran {
		t.Fatal(err, ran)
	}
	if ok, err := store.Exists[place](sys, db, "p"); ok || err != nil {
		t.Fatal("rolled back row is there", err)
	}
	must(t, db.Tx(sys, func(ctx context.Context) error { db.AfterCommit(ctx, func() { ran = true }); return nil }))
	if !ran {
		t.Error("nothing ran after commit")
	}
}

// TestConditionalUpdateNeverOverruns: the database decides, not a read before.
func TestConditionalUpdateNeverOverruns(t *testing.T) {
	db := storetest.Open(t)
	sys := store.System(t.Context(), "test")
	type room struct {
		ID    string `gorm:"primaryKey;size:36"`
		Used  int
		Total int
	}
	must(t, db.Tx(sys, func(ctx context.Context) error {
		return errors.Join(db.In(ctx).AutoMigrate(&room{}), db.In(ctx).Create(&room{"r", 0, 10}).Error)
	}))
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for range 60 {
		wg.Go(func() {
			err := db.Tx(sys, func(ctx context.Context) error {
				n, err := gorm.G[room](db.In(ctx)).Where("id = ? AND used + 1 <= total", "r").Update(ctx, "used", gorm.Expr("used + 1"))
				if err == nil && n == 0 {
					err = fault.New(fault.NoCapacity, "error.test")
				}
				return err
			})
			if err == nil {
				mu.Lock()
				won++
				mu.Unlock()
			} else if !fault.Is(err, fault.NoCapacity) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 10 {
		t.Fatal(won, "of 10 granted")
	}
}

func TestNextCountsWithoutGapsOrDoubles(t *testing.T) {
	db := storetest.Open(t)
	sys := store.System(t.Context(), "test")
	seen := make([]bool, 41)
	var mu sync.Mutex
	var wg sync.WaitGroup
	must(t, db.Tx(sys, func(ctx context.Context) error { _, err := db.Next(ctx, "n"); return err }))
	for range 39 {
		wg.Go(func() {
			var n int64
			if err := db.Tx(sys, func(ctx context.Context) (err error) { n, err = db.Next(ctx, "n"); return err }); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if n < 2 || n > 40 || seen[n] {
				t.Error("got", n)
				return
			}
			seen[n] = true
		})
	}
	wg.Wait()
}

func TestIDsAreVersion7AndFollowTheClock(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	db := storetest.OpenWith(t, func() time.Time { return now })
	a := db.NewID()
	now = now.Add(time.Millisecond)
	b := db.NewID()
	if a >= b || a[14] != '7' || len(a) != 36 || !strings.HasPrefix(a, "018bcfe5-6800-7") {
		t.Error(a, b)
	}
}

func TestSecretsDoNotShow(t *testing.T) {
	db := storetest.Open(t)
	s, err := db.Seal("hunter2")
	must(t, err)
	b, _ := json.Marshal(map[string]any{"s": s})
	for _, shown := range []string{string(b), s.String(), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), string(s)} {
		if strings.Contains(shown, "hunter2") {
			t.Error("shows in", shown)
		}
	}
	if plain, err := db.Reveal(s); plain != "hunter2" || err != nil {
		t.Error(plain, err)
	}
	if _, err := db.Reveal(s[:len(s)-2] + "AA"); err == nil {
		t.Error("a damaged secret is accepted")
	}
}

func TestKeyFileIsMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x", "key")
	a, err := store.KeyFile(path, strings.NewReader(strings.Repeat("k", 32)))
	must(t, err)
	b, err := store.KeyFile(path, strings.NewReader(strings.Repeat("x", 32)))
	must(t, err)
	info, err := os.Stat(path)
	must(t, err)
	if string(a) != string(b) || info.Mode().Perm() != 0o600 {
		t.Error("key changed or readable", info.Mode())
	}
}

func TestDSNErrorsDoNotShowPasswords(t *testing.T) {
	for _, dsn := range []string{"mysql:u:hunter2@@tcp(x/d", "postgres:u:hunter2@x"} {
		_, err := store.Open(t.Context(), store.Config{DSN: dsn, Key: storetest.Key})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

func TestFindHidesWhatIsForeignOrRemoved(t *testing.T) {
	db := world(t)
	me := as(t, store.Actor{Owner: ownerA})
	_, foreign := store.Find[thing](me, db, "t-b")
	_, absent := store.Find[thing](me, db, "t-x")
	if !fault.Is(foreign, fault.NotFound) || fault.Of(foreign).Key != fault.Of(absent).Key {
		t.Error(foreign, absent)
	}
	if ok, _ := store.Exists[thing](me, db, "t-b"); ok {
		t.Error("a foreign row exists")
	}
}

func TestSecondMigrateIsNothing(t *testing.T) {
	db := storetest.Open(t)
	must(t, db.Migrate(t.Context()))
	have, want, err := db.Version(t.Context())
	if err != nil || have != want || want == 0 {
		t.Error(have, want, err)
	}
}

// A clash in a joined transaction undoes the whole of it on MySQL, whatever the
// caller thinks of the error; and so it does here.
func TestSwallowedClashRunsAgain(t *testing.T) {
	db := storetest.Open(t)
	runs := 0
	must(t, db.Tx(store.System(t.Context(), "test"), func(ctx context.Context) error {
		runs++
		_ = db.Tx(ctx, func(context.Context) error {
			if runs == 1 {
				return &mysqldriver.MySQLError{Number: 1213}
			}
			return nil
		})
		return nil
	}))
	if runs != 2 {
		t.Errorf("it ran %d times", runs)
	}
}

// Before the commit nothing has happened that a new connection could double.
func TestLostConnectionRunsAgain(t *testing.T) {
	db := storetest.Open(t)
	for _, lost := range []error{driver.ErrBadConn, mysqldriver.ErrInvalidConn} {
		runs := 0
		must(t, db.Tx(store.System(t.Context(), "test"), func(context.Context) error {
			if runs++; runs == 1 {
				return fmt.Errorf("read: %w", lost)
			}
			return nil
		}))
		if runs != 2 {
			t.Errorf("after %v it ran %d times", lost, runs)
		}
	}
}

func TestAfterCommitOfWhatFailedIsNotRun(t *testing.T) {
	db := storetest.Open(t)
	var told []string
	must(t, db.Tx(store.System(t.Context(), "test"), func(ctx context.Context) error {
		db.AfterCommit(ctx, func() { told = append(told, "outer") })
		_ = db.Tx(ctx, func(ctx context.Context) error {
			db.AfterCommit(ctx, func() { told = append(told, "failed") })
			return errors.New("no")
		})
		return db.Tx(ctx, func(ctx context.Context) error {
			db.AfterCommit(ctx, func() { told = append(told, "joined") })
			return nil
		})
	}))
	if want := []string{"outer", "joined"}; !slices.Equal(told, want) {
		t.Errorf("%v was told, want %v", told, want)
	}
}

// Readers outside a transaction cannot write, on SQLite by the connection.
func TestReadersDoNotWrite(t *testing.T) {
	db := storetest.Open(t)
	if db.MySQL() {
		t.Skip("MySQL has one pool")
	}
	if _, err := db.Next(store.System(t.Context(), "test"), "x"); err == nil {
		t.Error("a reader has written")
	}
}

// Numbers that servers set aside are given once, also across servers.
func TestNumbersAreGivenOnce(t *testing.T) {
	db := storetest.Open(t)
	sys := store.System(t.Context(), "test")
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]bool{}
	for i := range 8 {
		all.Go(func() {
			for j := range 40 {
				var n int64
				must(t, db.Tx(sys, func(ctx context.Context) (err error) {
					if (i+j)%5 == 0 { // as another server, which has none aside
						n, err = db.Next(ctx, "wide")
					} else {
						n, err = db.Number(ctx, "wide")
					}
					return err
				}))
				mu.Lock()
				if n < 1 || seen[n] {
					t.Error("got", n, seen[n])
				}
				seen[n] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}

func TestFirstNumbersAtOnce(t *testing.T) {
	db := storetest.Open(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	seen := map[int64]bool{}
	for range 8 {
		all.Go(func() {
			var n int64
			err := db.Tx(store.System(t.Context(), "test"), func(ctx context.Context) (err error) {
				n, err = db.Next(ctx, "fresh")
				return err
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[n] {
				t.Errorf("number %d (again: %v): %v", n, seen[n], err)
			}
			seen[n] = true
		})
	}
	all.Wait()
}

func TestSQLiteFileIsPrivate(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o755))
	path := filepath.Join(dir, "a #1?%20", "x.db")
	db, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + path, Key: storetest.Key})
	must(t, err)
	defer db.Close()
	must(t, db.Migrate(t.Context()))
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v: it holds password hashes", filepath.Base(file), info.Mode())
		}
	}
}

func TestKeysAreWhole(t *testing.T) {
	for _, n := range []int{0, 16, 24, 31} {
		if _, err := store.Open(t.Context(), store.Config{DSN: "sqlite:" + filepath.Join(t.TempDir(), "x.db"), Key: make([]byte, n)}); err == nil {
			t.Errorf("a key of %d bytes is taken", n)
		}
	}
	path := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(path, make([]byte, 16), 0o600)) // cut short
	if _, err := store.KeyFile(path, rand.Reader); err == nil {
		t.Error("half a key file is taken")
	}
	// Servers that start at once take the same key.
	path = filepath.Join(t.TempDir(), "fresh", "key")
	var all sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = store.KeyFile(path, rand.Reader); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, key := range keys {
		if len(key) != 32 || !bytes.Equal(key, keys[0]) {
			t.Fatalf("keys %x", keys)
		}
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%v is left", left)
	}
}

func TestAnotherKeyIsRefusedFromTheStart(t *testing.T) {
	dsn := storetest.DSN(t)
	first := storetest.Connect(t, dsn, nil)
	other, err := store.Open(t.Context(), store.Config{DSN: dsn, Key: bytes.Repeat([]byte{8}, 32)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })
	for range 2 {
		if err := first.CheckKey(t.Context()); err != nil {
			t.Error("the key that it was begun with:", err)
		}
		if err := other.CheckKey(t.Context()); !errors.Is(err, store.ErrOtherKey) {
			t.Error("another key:", err)
		}
	}
}

func TestFirstServersAgreeOnAKey(t *testing.T) {
	dsn := storetest.DSN(t)
	storetest.Connect(t, dsn, nil)
	var group sync.WaitGroup
	var good [2]atomic.Int64
	for i := range 8 {
		db, err := store.Open(t.Context(), store.Config{DSN: dsn, Key: bytes.Repeat([]byte{byte(i % 2)}, 32)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		group.Go(func() {
			switch err := db.CheckKey(t.Context()); {
			case err == nil:
				good[i%2].Add(1)
			case !errors.Is(err, store.ErrOtherKey):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if a, b := good[0].Load(), good[1].Load(); a+b != 4 || a*b != 0 {
		t.Errorf("%d servers go on with one key, %d with the other", a, b)
	}
}

func TestParseKey(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb}, 32)
	for _, text := range []string{hex.EncodeToString(key), base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key)} {
		if got, err := store.ParseKey(text); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", "secret-word", strings.Repeat("ab", 31), base64.StdEncoding.EncodeToString(key[1:])} {
		if _, err := store.ParseKey(text); err == nil || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
