-- +goose Up
-- cidrs is a list divided by commas, rules a JSON array in order.
CREATE TABLE api_keys (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    user_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    description VARCHAR(1024) NOT NULL,
    api_key VARCHAR(128) NOT NULL UNIQUE,
    secret_key VARCHAR(512) NOT NULL,
    starts_at {{.DateTime}} NULL,
    expires_at {{.DateTime}} NULL,
    cidrs VARCHAR(2000) NOT NULL,
    rules {{.LongText}} NULL,
    used_at {{.DateTime}} NULL,
    UNIQUE (user_id, name)
){{.Table}};
CREATE INDEX api_keys_account ON api_keys (account_id);
CREATE INDEX api_keys_path ON api_keys (domain_path, user_id);

-- The one pair that a user had until now.
INSERT INTO api_keys (id, created_at, account_id, domain_id, domain_path, user_id, name, description, api_key, secret_key, starts_at, expires_at, cidrs, rules, used_at)
    SELECT id, created_at, account_id, domain_id, domain_path, id, 'default', '', api_key, secret_key, NULL, NULL, '', NULL, NULL
    FROM users WHERE api_key IS NOT NULL AND removed_at IS NULL;
UPDATE users SET api_key = NULL, secret_key = '';

-- +goose Down
DROP TABLE api_keys;
