package store

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
)

// Secret is a column that is encrypted at rest. It holds the ciphertext and
// prints as •••; DB.Seal makes one and DB.Reveal reads it.
type Secret string

const masked = "•••"

// String hides the secret.
func (Secret) String() string { return masked }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return masked }

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalJSON hides the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }

type sealer struct {
	aead cipher.AEAD
	rand io.Reader
}

const keySize = 32

func checkKey(key []byte) error {
	if len(key) != keySize {
		return fmt.Errorf("secret key: want %d bytes, have %d", keySize, len(key))
	}
	return nil
}

func newSealer(key []byte, rand io.Reader) (sealer, error) {
	if err := checkKey(key); err != nil {
		return sealer{}, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{aead, rand}, err
}

// Seal encrypts a secret for a column; the empty string stays empty.
func (db *DB) Seal(plain string) (Secret, error) {
	if plain == "" {
		return "", nil
	}
	nonce := make([]byte, db.seal.aead.NonceSize())
	if _, err := io.ReadFull(db.rand, nonce); err != nil {
		return "", fmt.Errorf("nonce: %w", err)
	}
	return Secret(base64.RawStdEncoding.EncodeToString(db.seal.aead.Seal(nonce, nonce, []byte(plain), nil))), nil
}

// Reveal decrypts a secret.
func (db *DB) Reveal(s Secret) (string, error) {
	if s == "" {
		return "", nil
	}
	b, err := base64.RawStdEncoding.DecodeString(string(s))
	n := db.seal.aead.NonceSize()
	if err != nil || len(b) < n {
		return "", errors.New("a stored secret is damaged")
	}
	plain, err := db.seal.aead.Open(nil, b[:n], b[n:], nil)
	if err != nil {
		return "", errors.New("a stored secret does not fit this server's key")
	}
	return string(plain), nil
}

// KeyFile reads the key that encrypts secrets, making it at first use. Servers
// on one database must share it.
func KeyFile(path string, rand io.Reader) ([]byte, error) {
	key, err := readKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keySize)
	if _, err := io.ReadFull(rand, key); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := plant(path, key); err != nil {
		return nil, err
	}
	return readKey(path) // another server may have been quicker
}

func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// plant makes the file whole or not at all, and leaves alone one that is there.
func plant(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // with mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}
