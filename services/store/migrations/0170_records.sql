-- +goose Up
-- Rare types and levels are found without reading all events, and what is told
-- of too long ago without sorting.
CREATE INDEX events_type ON events (type, archived, id);
CREATE INDEX events_level ON events (level, archived, id);
CREATE INDEX alerts_resolved ON alerts (resolved_at);

-- What is still to be told of alerts, by mail and by syslog.
CREATE TABLE alert_notices (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    alert_id CHAR(36) NOT NULL,
    phase VARCHAR(8) NOT NULL,
    channel VARCHAR(8) NOT NULL,
    due_at BIGINT NOT NULL,
    tries INTEGER NOT NULL,
    error {{.LongText}} NOT NULL
){{.Table}};
CREATE INDEX alert_notices_channel ON alert_notices (channel, created_at);

-- Limits of what carries a tag; what is used of it is counted from the rows.
CREATE TABLE tag_limits (
    owner VARCHAR(255) NOT NULL,
    kind INTEGER NOT NULL,
    tag VARCHAR(128) NOT NULL,
    ceiling BIGINT NOT NULL,
    PRIMARY KEY (owner, kind, tag)
){{.Table}};

-- How many calls an account made since its time began; till is unix ms.
CREATE TABLE api_calls (
    account_id CHAR(36) NOT NULL PRIMARY KEY,
    till BIGINT NOT NULL,
    issued BIGINT NOT NULL
){{.Table}};

-- Lists as users want to find them again: the end of their address.
CREATE TABLE saved_views (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    user_id CHAR(36) NOT NULL,
    list VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    query {{.LongText}} NOT NULL
){{.Table}};
CREATE UNIQUE INDEX saved_views_name ON saved_views (user_id, list, name);
