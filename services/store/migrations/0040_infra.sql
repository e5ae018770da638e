-- +goose Up
CREATE TABLE zones (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    description VARCHAR(255) NOT NULL DEFAULT '',
    network_type VARCHAR(16) NOT NULL,
    allocation_state VARCHAR(16) NOT NULL,
    dns1 VARCHAR(45) NOT NULL,
    dns2 VARCHAR(45) NOT NULL DEFAULT '',
    internal_dns1 VARCHAR(45) NOT NULL,
    internal_dns2 VARCHAR(45) NOT NULL DEFAULT '',
    guest_cidr VARCHAR(64) NOT NULL DEFAULT '',
    network_domain VARCHAR(255) NOT NULL DEFAULT '',
    domain_id CHAR(36) NOT NULL DEFAULT '',
    local_storage BOOLEAN NOT NULL,
    security_groups BOOLEAN NOT NULL,
    simulated BOOLEAN NOT NULL
){{.Table}};

CREATE TABLE pods (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    allocation_state VARCHAR(16) NOT NULL,
    gateway VARCHAR(45) NOT NULL DEFAULT '',
    netmask VARCHAR(45) NOT NULL DEFAULT '',
    start_ip VARCHAR(45) NOT NULL DEFAULT '',
    end_ip VARCHAR(45) NOT NULL DEFAULT ''
){{.Table}};
CREATE INDEX pods_zone ON pods (zone_id);

CREATE TABLE clusters (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    pod_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    hypervisor VARCHAR(32) NOT NULL,
    cluster_type VARCHAR(32) NOT NULL,
    allocation_state VARCHAR(16) NOT NULL,
    arch VARCHAR(16) NOT NULL,
    cpu_factor DOUBLE NOT NULL,
    memory_factor DOUBLE NOT NULL
){{.Table}};
CREATE INDEX clusters_pod ON clusters (pod_id);

-- Capacity is counted here, so that a claim is one conditional update.
CREATE TABLE hosts (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    pod_id CHAR(36) NOT NULL,
    cluster_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    url VARCHAR(255) NOT NULL,
    machine VARCHAR(64) NOT NULL DEFAULT '',
    hypervisor VARCHAR(32) NOT NULL,
    hypervisor_version VARCHAR(64) NOT NULL DEFAULT '',
    arch VARCHAR(16) NOT NULL DEFAULT '',
    ip VARCHAR(45) NOT NULL DEFAULT '',
    state VARCHAR(24) NOT NULL,
    resource_state VARCHAR(32) NOT NULL,
    tags VARCHAR(255) NOT NULL DEFAULT '',
    cpus INTEGER NOT NULL DEFAULT 0,
    cpu_sockets INTEGER NOT NULL DEFAULT 0,
    cpu_mhz INTEGER NOT NULL DEFAULT 0,
    memory_mib BIGINT NOT NULL DEFAULT 0,
    memory_free_mib BIGINT NOT NULL DEFAULT 0,
    load_average DOUBLE NOT NULL DEFAULT 0,
    accelerated BOOLEAN NOT NULL DEFAULT FALSE,
    total_mhz BIGINT NOT NULL DEFAULT 0,
    total_mib BIGINT NOT NULL DEFAULT 0,
    used_mhz BIGINT NOT NULL DEFAULT 0,
    used_mib BIGINT NOT NULL DEFAULT 0,
    why VARCHAR(1000) NOT NULL DEFAULT '',
    last_pinged {{.DateTime}} NULL
){{.Table}};
CREATE INDEX hosts_cluster ON hosts (cluster_id);
CREATE INDEX hosts_zone ON hosts (zone_id, state);

CREATE TABLE storage_pools (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    pod_id CHAR(36) NOT NULL DEFAULT '',
    cluster_id CHAR(36) NOT NULL DEFAULT '',
    host_id CHAR(36) NOT NULL DEFAULT '',
    name VARCHAR(255) NOT NULL,
    type VARCHAR(32) NOT NULL,
    scope VARCHAR(16) NOT NULL,
    url VARCHAR(1000) NOT NULL,
    path VARCHAR(1000) NOT NULL,
    provider VARCHAR(64) NOT NULL,
    hypervisor VARCHAR(32) NOT NULL DEFAULT '',
    state VARCHAR(32) NOT NULL,
    tags VARCHAR(255) NOT NULL DEFAULT '',
    capacity BIGINT NOT NULL DEFAULT 0,
    used BIGINT NOT NULL DEFAULT 0,
    allocated BIGINT NOT NULL DEFAULT 0,
    factor DOUBLE NOT NULL
){{.Table}};
CREATE INDEX storage_pools_zone ON storage_pools (zone_id);

CREATE TABLE image_stores (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL DEFAULT '',
    name VARCHAR(255) NOT NULL,
    url VARCHAR(1000) NOT NULL,
    provider VARCHAR(64) NOT NULL,
    protocol VARCHAR(16) NOT NULL,
    path VARCHAR(1000) NOT NULL,
    read_only BOOLEAN NOT NULL,
    capacity BIGINT NOT NULL DEFAULT 0,
    used BIGINT NOT NULL DEFAULT 0
){{.Table}};

CREATE TABLE physical_networks (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL,
    state VARCHAR(16) NOT NULL,
    domain_id CHAR(36) NOT NULL DEFAULT '',
    vlan VARCHAR(255) NOT NULL DEFAULT '',
    isolation VARCHAR(64) NOT NULL DEFAULT '',
    broadcast VARCHAR(16) NOT NULL,
    speed VARCHAR(16) NOT NULL DEFAULT '',
    tags VARCHAR(255) NOT NULL DEFAULT ''
){{.Table}};
CREATE INDEX physical_networks_zone ON physical_networks (zone_id);

CREATE TABLE traffic_types (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    physical_network_id CHAR(36) NOT NULL,
    type VARCHAR(16) NOT NULL,
    kvm_label VARCHAR(64) NOT NULL DEFAULT '',
    vmware_label VARCHAR(64) NOT NULL DEFAULT '',
    xen_label VARCHAR(64) NOT NULL DEFAULT '',
    vlan VARCHAR(16) NOT NULL DEFAULT ''
){{.Table}};
CREATE INDEX traffic_types_network ON traffic_types (physical_network_id);
