package iam

import (
	"testing"
	"time"
)

// TestTOTP: RFC 6238, appendix B, with six digits.
func TestTOTP(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totpCode(secret, at/30); got != want {
			t.Errorf("at %d: %s, not %s", at, got, want)
		}
		if at < 120 {
			continue
		}
		now := time.Unix(at, 0)
		for skew, ok := range map[time.Duration]bool{0: true, 30 * time.Second: true, -30 * time.Second: true, 60 * time.Second: false, -60 * time.Second: false} {
			if _, got := totpMatch(base32Text(secret), want, now.Add(skew)); got != ok {
				t.Errorf("%v off: %v", skew, got)
			}
		}
	}
}
