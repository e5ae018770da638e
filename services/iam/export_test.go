package iam

// EntryByDN is what a user of a directory without ids is bound to.
var EntryByDN = entryByDN
