package iam

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238's default, which all apps know, as HMAC
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"time"
)

// The parameters of RFC 6238 that all apps know.
const (
	totpSecret = 20 // bytes, as RFC 4226 recommends
	totpStep   = 30 * time.Second
	totpSkew   = 1 // steps that a device's clock may be off
)

var noPadding = base32.StdEncoding.WithPadding(base32.NoPadding)

func base32Text(raw []byte) string { return noPadding.EncodeToString(raw) }

// totpCode is the code of a step (RFC 4226, section 5.3).
func totpCode(secret []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // a time after 1970
	mac := hmac.New(sha1.New, secret)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// totpMatch finds the step whose code was given, around now, in the same time
// whatever was given.
func totpMatch(secret, code string, now time.Time) (step int64, ok bool) {
	raw, err := noPadding.DecodeString(secret)
	if err != nil {
		return 0, false
	}
	at := now.Unix() / int64(totpStep/time.Second)
	for i := at - totpSkew; i <= at+totpSkew; i++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(raw, i)), []byte(code)) == 1 {
			step, ok = i, true
		}
	}
	return step, ok
}

// totpURI is what apps read as a QR code.
func totpURI(issuer, user, secret string) string {
	label := url.PathEscape(issuer) + ":" + url.PathEscape(user)
	return "otpauth://totp/" + label + "?secret=" + secret + "&issuer=" + url.QueryEscape(issuer) + "&algorithm=SHA1&digits=6&period=30"
}

func (s *Service) random(b []byte) error {
	if _, err := io.ReadFull(s.db.Rand(), b); err != nil {
		return fmt.Errorf("randomness: %w", err)
	}
	return nil
}
