package store

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
)

// ParseKey reads a key of secrets from text: base64 or hexadecimal digits. The
// text itself is in no error.
func ParseKey(text string) ([]byte, error) {
	for _, read := range []func(string) ([]byte, error){
		hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
	} {
		if key, err := read(text); err == nil && len(key) == keySize {
			return key, nil
		}
	}
	return nil, fmt.Errorf("want %d bytes in base64 or hexadecimal digits", keySize)
}

// ErrOtherKey says that the database's secrets were sealed with another key.
var ErrOtherKey = errors.New("the secret key is not the one that this database was begun with")

// secretCheck holds a known word, sealed with the database's key.
type secretCheck struct {
	ID     int64 `gorm:"primaryKey;autoIncrement:false"`
	Sealed Secret
}

// TableName is the table of the one check.
func (secretCheck) TableName() string { return "secret_check" }

const checkWord = "aerie"

// CheckKey returns ErrOtherKey when the database was begun with another key, so
// that a server finds out before the first secret that it cannot open. The first
// server of a database leaves the check.
func (db *DB) CheckKey(ctx context.Context) error {
	ctx = System(ctx, "check the key of secrets")
	sealed, err := db.Seal(checkWord)
	if err != nil {
		return err
	}
	var have []secretCheck
	if err := db.In(ctx).Where("id = ?", 1).Find(&have).Error; err != nil {
		return fmt.Errorf("secret key: %w", err)
	}
	if len(have) == 0 {
		err := db.Tx(ctx, func(ctx context.Context) error { return db.In(ctx).Create(&secretCheck{1, sealed}).Error })
		if err == nil || !IsDuplicate(err) {
			return err
		}
		if err := db.In(ctx).Where("id = ?", 1).Find(&have).Error; err != nil || len(have) == 0 { // another server was quicker
			return fmt.Errorf("secret key: %w", err)
		}
	}
	if word, err := db.Reveal(have[0].Sealed); err != nil || word != checkWord {
		return ErrOtherKey
	}
	return nil
}
