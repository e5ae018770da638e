-- +goose Up
CREATE TABLE loops (
    name VARCHAR(64) NOT NULL PRIMARY KEY,
    due_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    worker VARCHAR(100) NOT NULL,
    runs BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    last_start BIGINT NOT NULL,
    last_ms BIGINT NOT NULL,
    last_error {{.LongText}} NULL,
    last_failed_at BIGINT NOT NULL
){{.Table}};
