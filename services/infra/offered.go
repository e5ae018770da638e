package infra

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"aerie/services/fault"
	"aerie/services/iam"
	"aerie/services/store"
)

// What all kinds of offerings have in common: for whom and where they are.

// Listed is a stored list of ids.
func Listed(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// List reads a list of ids, or the word that stands for no limit, as a column
// keeps it.
func List[T any](ctx context.Context, db *store.DB, param, list, all string) (string, error) {
	if strings.EqualFold(strings.TrimSpace(list), all) {
		return "", nil
	}
	var out []string
	for id := range strings.SplitSeq(list, ",") {
		id = strings.TrimSpace(id)
		if _, err := store.Find[T](ctx, db, id); err != nil {
			if store.IsAbsent(err) {
				err = fault.Absent(param, id)
			}
			return "", err
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return strings.Join(out, ","), nil
}

// Called writes a stored list of ids with their names.
func Called(names map[string]string, list string) string {
	var out []string
	for _, id := range Listed(list) {
		out = append(out, names[id])
	}
	return strings.Join(out, ",")
}

// MayOffer refuses an offering for others than the actor rules: an
// administrator of domains names those that an offering is for, and all of
// them are below its own.
func MayOffer(ctx context.Context, db *store.DB, domainIDs []string) error {
	actor, _ := store.From(ctx)
	if actor.IsSystem() || actor.Rank == store.Admin {
		return nil
	}
	if len(domainIDs) == 0 {
		return fault.Param("domainid", "error.offering_domain")
	}
	mine, err := below(ctx, db, actor, domainIDs)
	if err == nil && !mine {
		err = fault.Param("domainid", "error.offering_domain")
	}
	return err
}

// MayChange refuses to change an offering that others than the actor's own
// domains can see.
func MayChange(ctx context.Context, db *store.DB, id, domainIDs string) error {
	actor, _ := store.From(ctx)
	if actor.IsSystem() || actor.Rank == store.Admin {
		return nil
	}
	mine, err := below(ctx, db, actor, Listed(domainIDs))
	if err == nil && !mine {
		err = fault.New(fault.Forbidden, "error.offering_foreign", "param", "id", "value", id)
	}
	return err
}

// below tells whether there are domains, and all are in the actor's subtree.
func below(ctx context.Context, db *store.DB, actor store.Actor, ids []string) (bool, error) {
	if len(ids) == 0 || actor.Rank != store.DomainAdmin {
		return false, nil
	}
	var paths []string
	err := db.In(store.System(ctx, "domains of an offering")).Model(&iam.Domain{}).Where("id IN ?", ids).Pluck("path", &paths).Error
	outside := func(path string) bool { return !actor.SeesDomain(path) }
	return len(paths) > 0 && !slices.ContainsFunc(paths, outside), err
}

// In tells whether a stored list of zones lets the zone in; an empty one does.
func In(zoneIDs, id string) bool { return zoneIDs == "" || slices.Contains(Listed(zoneIDs), id) }

// MostDetails is how many characters the details of an offering take.
const MostDetails = 4096

// KeepDetails is free details as a column keeps them.
func KeepDetails(param string, details map[string]string) (string, error) {
	if len(details) == 0 {
		return "", nil
	}
	b, err := json.Marshal(details)
	if err == nil && len(b) > MostDetails {
		err = fault.Param(param, "error.too_long", "max", MostDetails)
	}
	return string(b), err
}

// Details reads what KeepDetails wrote.
func Details(text string) map[string]string {
	out := map[string]string{}
	_ = json.Unmarshal([]byte(text), &out) // written by KeepDetails
	return out
}

// CleanTags is a list of tags without spaces and empty ones.
func CleanTags(tags string) string {
	var out []string
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return strings.Join(out, ",")
}

// Carries tells whether a list of tags has each of the wanted ones.
func Carries(have, want string) bool {
	tags := Listed(have)
	for _, tag := range Listed(want) {
		if !slices.Contains(tags, tag) {
			return false
		}
	}
	return true
}
