-- +goose Up
CREATE TABLE settings (
    name VARCHAR(190) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    scope_id VARCHAR(36) NOT NULL,
    value {{.LongText}} NOT NULL,
    updated_at {{.DateTime}} NOT NULL,
    updated_by VARCHAR(36) NOT NULL,
    PRIMARY KEY (name, scope, scope_id)
){{.Table}};

CREATE TABLE counters (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
){{.Table}};
