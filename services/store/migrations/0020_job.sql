-- +goose Up
CREATE TABLE jobs (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id VARCHAR(36) NOT NULL,
    domain_id VARCHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    entity VARCHAR(100) NOT NULL,
    live BOOLEAN NULL,
    status VARCHAR(16) NOT NULL,
    step VARCHAR(64) NOT NULL,
    step_index INTEGER NOT NULL,
    step_count INTEGER NOT NULL,
    steps {{.LongText}} NULL,
    state {{.LongText}} NULL,
    input {{.LongText}} NULL,
    result {{.LongText}} NULL,
    result_code INTEGER NOT NULL,
    error_kind VARCHAR(32) NOT NULL,
    error_key VARCHAR(100) NOT NULL,
    error_args {{.LongText}} NULL,
    error {{.LongText}} NULL,
    due_at BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    worker VARCHAR(100) NOT NULL,
    attempts INTEGER NOT NULL,
    cancelled BOOLEAN NOT NULL,
    actor_user_id VARCHAR(36) NOT NULL,
    actor_account_id VARCHAR(36) NOT NULL,
    actor_domain_id VARCHAR(36) NOT NULL,
    actor_domain_path VARCHAR(255) NOT NULL,
    actor_rank INTEGER NOT NULL,
    actor_role_id VARCHAR(36) NOT NULL,
    actor_why VARCHAR(255) NOT NULL,
    command VARCHAR(100) NOT NULL,
    event VARCHAR(100) NOT NULL,
    object VARCHAR(64) NOT NULL,
    object_id VARCHAR(36) NOT NULL,
    params {{.LongText}} NULL,
    token VARCHAR(100) NULL,
    trace VARCHAR(64) NOT NULL,
    retry_of VARCHAR(36) NOT NULL,
    started_at {{.DateTime}} NULL,
    finished_at {{.DateTime}} NULL
){{.Table}};

-- live is true or NULL, so an entity has one live job and any number of ended ones.
CREATE UNIQUE INDEX jobs_one_live ON jobs (entity, live);
CREATE UNIQUE INDEX jobs_token ON jobs (token);
CREATE INDEX jobs_due ON jobs (live, due_at);
CREATE INDEX jobs_account ON jobs (account_id, id);
