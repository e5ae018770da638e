-- +goose Up
-- The order of lists: a page is read from the index, and the count as well,
-- instead of sorting all rows.
CREATE INDEX vms_listed ON vms (removed_at, created_at, id);
CREATE INDEX volumes_listed ON volumes (removed_at, created_at, id);
CREATE INDEX networks_listed ON networks (removed_at, created_at, id);
