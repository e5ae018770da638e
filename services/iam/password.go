package iam

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"aerie/services/fault"
)

// Argon is the cost of an argon2id hash.
type Argon struct {
	Memory  uint32 // KiB
	Time    uint32
	Threads uint8
}

// DefaultArgon costs 19 MiB and about 20 ms.
var DefaultArgon = Argon{Memory: 19 * 1024, Time: 2, Threads: 1}

const (
	saltSize    = 16
	hashSize    = 32
	maxPassword = 1024 // bytes; more is refused before any work
)

// hash returns the PHC string, parameters and salt included.
func (a Argon) hash(password string, salt []byte) string {
	sum := argon2.IDKey([]byte(password), salt, a.Time, a.Memory, a.Threads, hashSize)
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, a.Memory, a.Time, a.Threads, enc.EncodeToString(salt), enc.EncodeToString(sum))
}

// hashPassword hashes a new password, outside transactions only.
func (s *Service) hashPassword(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", fault.Param("password", "error.password_empty")
	}
	if len(password) > maxPassword {
		return "", fault.Param("password", "error.password_long", "max", maxPassword)
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(s.db.Rand(), salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	leave, err := s.enterHashing(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	return s.opts.Argon.hash(password, salt), nil
}

// checkPassword compares in constant time. An empty hash is compared with the
// dummy, so that no answer is quicker than another.
func (s *Service) checkPassword(ctx context.Context, hash, password string) (bool, error) {
	if len(password) > maxPassword {
		return false, nil
	}
	leave, err := s.enterHashing(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if hash == "" {
		verify(s.dummy, password)
		return false, nil
	}
	return verify(hash, password), nil
}

// enterHashing waits for a turn. It refuses a transaction, which would hold its
// locks, and on SQLite every other writer, for as long.
func (s *Service) enterHashing(ctx context.Context) (func(), error) {
	if s.db.InTx(ctx) {
		return nil, errors.New("a password is hashed inside a transaction")
	}
	select {
	case s.hashing <- struct{}{}:
		return func() { <-s.hashing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func verify(hash, password string) bool {
	if strings.HasPrefix(hash, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}
	a, salt, want, ok := parseArgon(hash)
	if !ok {
		return false
	}
	got := argon2.IDKey([]byte(password), salt, a.Time, a.Memory, a.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1
}

func parseArgon(hash string) (a Argon, salt, sum []byte, ok bool) {
	part := strings.Split(hash, "$")
	if len(part) != 6 || part[1] != "argon2id" {
		return a, salt, sum, ok
	}
	var version int
	if _, err := fmt.Sscanf(part[2], "v=%d", &version); err != nil || version != argon2.Version {
		return a, salt, sum, ok
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &a.Memory, &a.Time, &a.Threads); err != nil {
		return a, salt, sum, ok
	}
	salt, err := base64.RawStdEncoding.DecodeString(part[4])
	if err != nil {
		return a, salt, sum, ok
	}
	sum, err = base64.RawStdEncoding.DecodeString(part[5])
	ok = err == nil && len(sum) >= 16 && a.Time > 0 && a.Threads > 0
	return a, salt, sum, ok
}

// outdated tells whether a hash was made with other parameters than new ones.
func (a Argon) outdated(hash string) bool {
	have, _, _, ok := parseArgon(hash)
	return !ok || have != a
}

// importable tells whether a hash of another system can be verified here.
func importable(hash string) bool {
	if _, err := bcrypt.Cost([]byte(hash)); err == nil {
		return true
	}
	_, _, _, ok := parseArgon(hash)
	return ok
}

// token returns n random bytes, URL-safe.
func (s *Service) token(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.db.Rand(), b); err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

func digest(parts ...string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(parts, "\x00"))))
}
