-- +goose Up
-- Keys and values of tags in lower case: filters find them in any case, on every
-- database and in every script. SQLite lowers A to Z alone, so what was there
-- before is also asked for as it stands.
ALTER TABLE resource_tags ADD COLUMN key_fold VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE resource_tags ADD COLUMN value_fold VARCHAR(255) NOT NULL DEFAULT '';
UPDATE resource_tags SET key_fold = LOWER(tag_key), value_fold = LOWER(tag_value);
CREATE INDEX resource_tags_fold ON resource_tags (key_fold, value_fold, resource_id);
