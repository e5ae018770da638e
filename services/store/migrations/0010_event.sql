-- +goose Up
CREATE TABLE events (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    type VARCHAR(64) NOT NULL,
    level VARCHAR(8) NOT NULL,
    state VARCHAR(16) NOT NULL,
    message VARCHAR(128) NOT NULL,
    args {{.LongText}} NOT NULL,
    account_id VARCHAR(36) NOT NULL,
    domain_id VARCHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    user_id VARCHAR(36) NOT NULL,
    username VARCHAR(255) NOT NULL,
    resource_type VARCHAR(64) NOT NULL,
    resource_id VARCHAR(36) NOT NULL,
    resource_name VARCHAR(255) NOT NULL,
    start_id VARCHAR(36) NOT NULL,
    job_id VARCHAR(36) NOT NULL,
    before_change {{.LongText}},
    after_change {{.LongText}},
    archived BOOLEAN NOT NULL
){{.Table}};

-- Newest first for one account, for a domain's subtree and for everybody: ids
-- are in the order of creation, so they page and sort at once.
CREATE INDEX events_account ON events (account_id, archived, id);
CREATE INDEX events_domain ON events (domain_path, id);
CREATE INDEX events_all ON events (archived, id);
CREATE INDEX events_resource ON events (resource_id, id);
CREATE INDEX events_start ON events (start_id, id);
CREATE INDEX events_job ON events (job_id, id);
CREATE INDEX events_created ON events (created_at);

CREATE TABLE alerts (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    resolved_at {{.DateTime}},
    last_at {{.DateTime}} NOT NULL,
    type INTEGER NOT NULL,
    name VARCHAR(64) NOT NULL,
    message VARCHAR(128) NOT NULL,
    args {{.LongText}} NOT NULL,
    subject VARCHAR(128) NOT NULL,
    standing VARCHAR(190),
    times BIGINT NOT NULL,
    zone_id VARCHAR(36) NOT NULL,
    pod_id VARCHAR(36) NOT NULL,
    host_id VARCHAR(36) NOT NULL,
    archived BOOLEAN NOT NULL
){{.Table}};

-- standing is the type and subject while the alert lasts and NULL afterwards:
-- the same trouble is one alert, however often and by however many it is seen.
CREATE UNIQUE INDEX alerts_standing ON alerts (standing);
CREATE INDEX alerts_all ON alerts (archived, id);
