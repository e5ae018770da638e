package iam

import "time"

// EntryByDN is what a user of a directory without ids is bound to.
var EntryByDN = entryByDN

// CodeAt is the code of an app with that secret.
func CodeAt(secret string, at time.Time) string {
	raw, err := noPadding.DecodeString(secret)
	if err != nil {
		panic(err)
	}
	return totpCode(raw, at.Unix()/30)
}
