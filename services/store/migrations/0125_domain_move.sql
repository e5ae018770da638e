-- +goose Up
-- Domains that moved of late: work that was under way then may still write
-- rows with the old path, which are moved after it.
CREATE TABLE domain_moves (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    domain_id CHAR(36) NOT NULL,
    from_path VARCHAR(255) NOT NULL
){{.Table}};
CREATE INDEX domain_moves_created ON domain_moves (created_at);

-- The zone that is proposed for an account's new instances.
ALTER TABLE accounts ADD COLUMN default_zone_id CHAR(36) NULL;

-- Since when the account is being deleted.
ALTER TABLE accounts ADD COLUMN closing_at {{.DateTime}} NULL;
