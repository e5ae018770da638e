-- +goose Up
-- What a disk may do in a second (bytes and operations, 0: as much as it can),
-- for how many seconds it may do more, and how its host caches it.
ALTER TABLE disk_offerings ADD COLUMN bytes_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN bytes_read_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN bytes_read_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN bytes_write BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN bytes_write_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN bytes_write_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_read_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_read_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_write BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_write_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN iops_write_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN max_iops BIGINT NOT NULL DEFAULT 0;
ALTER TABLE disk_offerings ADD COLUMN cache_mode VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE disk_offerings ADD COLUMN details VARCHAR(4096) NOT NULL DEFAULT '';
ALTER TABLE service_offerings ADD COLUMN bytes_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN bytes_read_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN bytes_read_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN bytes_write BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN bytes_write_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN bytes_write_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_read_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_read_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_write BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_write_max BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN iops_write_length BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN max_iops BIGINT NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN cache_mode VARCHAR(32) NOT NULL DEFAULT '';
ALTER TABLE service_offerings ADD COLUMN details VARCHAR(4096) NOT NULL DEFAULT '';

ALTER TABLE disk_offerings ADD COLUMN strict BOOLEAN NOT NULL DEFAULT FALSE;
-- What root disks of the size are made of, and whether another may be chosen.
ALTER TABLE service_offerings ADD COLUMN disk_offering_id CHAR(36) NOT NULL DEFAULT '';
ALTER TABLE service_offerings ADD COLUMN disk_offering_strict BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE service_offerings ADD COLUMN lease_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE service_offerings ADD COLUMN lease_action VARCHAR(16) NOT NULL DEFAULT '';
ALTER TABLE network_offerings ADD COLUMN details VARCHAR(4096) NOT NULL DEFAULT '';
ALTER TABLE network_offerings ADD COLUMN sort_key INTEGER NOT NULL DEFAULT 0;
{{if .Table}}
ALTER TABLE disk_offerings MODIFY tags VARCHAR(4096) NOT NULL DEFAULT '';
ALTER TABLE network_offerings MODIFY tags VARCHAR(4096) NOT NULL DEFAULT '';
-- Settings are told of by their names, which may be longer than an id.
ALTER TABLE events MODIFY resource_id VARCHAR(255) NOT NULL;
{{end}}
CREATE TABLE vpc_offerings (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(4096) NOT NULL,
    state VARCHAR(16) NOT NULL,
    is_default BOOLEAN NOT NULL,
    services VARCHAR(1000) NOT NULL,
    domain_ids {{.LongText}} NOT NULL,
    zone_ids {{.LongText}} NOT NULL,
    sort_key INTEGER NOT NULL DEFAULT 0
){{.Table}};

CREATE TABLE user_data (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    params VARCHAR(4096) NOT NULL,
    content {{.LongText}} NOT NULL,
    UNIQUE (account_id, name)
){{.Table}};
ALTER TABLE templates ADD COLUMN user_data_id CHAR(36) NOT NULL DEFAULT '';
ALTER TABLE templates ADD COLUMN user_data_policy VARCHAR(16) NOT NULL DEFAULT '';
CREATE INDEX templates_user_data ON templates (user_data_id);

CREATE TABLE instance_groups (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    UNIQUE (account_id, name)
){{.Table}};

CREATE TABLE affinity_groups (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    type VARCHAR(32) NOT NULL,
    description VARCHAR(4096) NOT NULL,
    UNIQUE (account_id, name)
){{.Table}};
CREATE TABLE affinity_members (
    group_id CHAR(36) NOT NULL,
    vm_id CHAR(36) NOT NULL,
    PRIMARY KEY (group_id, vm_id)
){{.Table}};
CREATE INDEX affinity_members_vm ON affinity_members (vm_id);

-- Where the members of groups have their place. The seat is the host for who
-- may not share one, and so two of them never do; else it is the member itself.
CREATE TABLE affinity_claims (
    group_id CHAR(36) NOT NULL,
    entity CHAR(36) NOT NULL,
    host_id CHAR(36) NOT NULL,
    seat CHAR(36) NOT NULL,
    PRIMARY KEY (group_id, entity),
    UNIQUE (group_id, seat)
){{.Table}};
CREATE INDEX affinity_claims_entity ON affinity_claims (entity);
-- The one host of a group whose members must share it, while any has a place.
CREATE TABLE affinity_homes (
    group_id CHAR(36) NOT NULL PRIMARY KEY,
    host_id CHAR(36) NOT NULL,
    placed INTEGER NOT NULL
){{.Table}};
ALTER TABLE claims ADD COLUMN bonds INTEGER NOT NULL DEFAULT 0;

ALTER TABLE vms ADD COLUMN group_id CHAR(36) NOT NULL DEFAULT '';
ALTER TABLE vms ADD COLUMN bonded BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE vms ADD COLUMN user_data_id CHAR(36) NOT NULL DEFAULT '';
ALTER TABLE vms ADD COLUMN user_data_params {{.LongText}} NULL;
ALTER TABLE vms ADD COLUMN lease_ends {{.DateTime}} NULL;
ALTER TABLE vms ADD COLUMN lease_days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE vms ADD COLUMN lease_action VARCHAR(16) NOT NULL DEFAULT '';
CREATE INDEX vms_group ON vms (group_id);
CREATE INDEX vms_user_data ON vms (user_data_id);
CREATE INDEX vms_lease ON vms (lease_ends);
CREATE INDEX vms_offering ON vms (offering_id);
