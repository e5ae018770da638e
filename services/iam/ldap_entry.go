package iam

import (
	"context"
	"encoding/hex"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"aerie/services/store"
)

// stableIDs are the attributes by which directories tell an entry for good,
// however it is renamed: OpenLDAP's, Active Directory's, 389's.
var stableIDs = []string{"entryUUID", "objectGUID", "nsUniqueId"}

// entryID is what a user is bound to: the entry's own id, which is unique in the
// world and the same at a directory's replicas, or empty.
func entryID(e *ldap.Entry) string {
	for _, name := range stableIDs {
		value := e.GetEqualFoldRawAttributeValue(name)
		if len(value) == 0 {
			continue
		}
		text := strings.ToLower(string(value))
		if name == "objectGUID" { // 16 bytes
			text = hex.EncodeToString(value)
		}
		if len(text) > 64 {
			text = digest(text)
		}
		return strings.ToLower(name) + ":" + text
	}
	return ""
}

// entryByDN binds to a name of one server, for directories that tell no id.
func entryByDN(serverID, dn string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil {
		dn = parsed.String()
	}
	return "dn:" + digest(serverID, strings.ToLower(dn))
}

// entry is what the person's user is to be bound to.
func (p person) entry() string {
	if p.ID != "" {
		return p.ID
	}
	return entryByDN(p.ServerID, p.DN)
}

// is tells whether the person is the one that a user was bound to, or the first
// to sign in as a user that is bound to nobody yet.
func (p person) is(u User) bool {
	switch u.DirectoryEntry {
	case "", p.entry(), entryByDN(p.ServerID, p.DN):
		return true
	}
	return false
}

// errStranger is somebody else of the same name: from another directory, or in
// the place of somebody who is gone.
const errStranger = errRefused("not the directory entry that the user is bound to")

// bindEntry makes the user be this person from now on.
func (s *Service) bindEntry(ctx context.Context, u User, who person) error {
	if !who.is(u) {
		return errStranger
	}
	if u.DirectoryEntry == who.entry() {
		return nil
	}
	ctx = store.System(ctx, "bind a user to its directory entry")
	return s.db.Tx(ctx, func(ctx context.Context) error {
		// Another login may have bound it meanwhile, to the same person or not.
		set := s.db.In(ctx).Model(&User{}).Where("id = ? AND directory_entry IN ?", u.ID, []string{u.DirectoryEntry, who.entry()}).
			Update("directory_entry", who.entry())
		if set.Error == nil && set.RowsAffected == 0 {
			return errStranger
		}
		return set.Error
	})
}
