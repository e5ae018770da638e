package store

import (
	"fmt"
	"io"

	"github.com/google/uuid"
)

// NewID makes a UUIDv7 (RFC 9562 §5.7) from the injected clock and randomness:
// 48 bits of milliseconds, the rest random.
func (db *DB) NewID() string {
	var u uuid.UUID
	ms := db.now().UnixMilli()
	if _, err := io.ReadFull(db.rand, u[6:]); err != nil {
		panic(fmt.Sprintf("no randomness: %v", err)) // crypto/rand does not fail
	}
	for i := range 6 {
		u[i] = byte(ms >> (40 - 8*i))
	}
	u[6] = u[6]&0x0f | 0x70
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}
