-- +goose Up
CREATE TABLE network_offerings (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(4096) NOT NULL,
    traffic_type VARCHAR(16) NOT NULL,
    guest_type VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    availability VARCHAR(16) NOT NULL,
    is_default BOOLEAN NOT NULL,
    for_vpc BOOLEAN NOT NULL,
    conserve BOOLEAN NOT NULL,
    egress_allow BOOLEAN NOT NULL,
    specify_vlan BOOLEAN NOT NULL,
    specify_ranges BOOLEAN NOT NULL,
    persistent BOOLEAN NOT NULL,
    network_rate INTEGER NOT NULL,
    max_connections INTEGER NOT NULL DEFAULT 0,
    tags VARCHAR(255) NOT NULL DEFAULT '',
    services {{.LongText}} NOT NULL,
    domain_ids {{.LongText}} NOT NULL,
    zone_ids {{.LongText}} NOT NULL
){{.Table}};

CREATE TABLE public_ranges (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    zone_id CHAR(36) NOT NULL,
    physical_network_id CHAR(36) NOT NULL,
    vlan VARCHAR(64) NOT NULL,
    gateway VARCHAR(45) NOT NULL,
    netmask VARCHAR(45) NOT NULL,
    start_ip VARCHAR(45) NOT NULL,
    end_ip VARCHAR(45) NOT NULL
){{.Table}};
CREATE INDEX public_ranges_zone ON public_ranges (zone_id);

CREATE TABLE networks (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(255) NOT NULL,
    display_text VARCHAR(255) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    physical_network_id CHAR(36) NOT NULL,
    offering_id CHAR(36) NOT NULL,
    guest_type VARCHAR(16) NOT NULL,
    state VARCHAR(16) NOT NULL,
    cidr VARCHAR(64) NOT NULL,
    gateway VARCHAR(45) NOT NULL,
    network_domain VARCHAR(255) NOT NULL,
    dns1 VARCHAR(45) NOT NULL DEFAULT '',
    dns2 VARCHAR(45) NOT NULL DEFAULT '',
    mtu INTEGER NOT NULL,
    public_mtu INTEGER NOT NULL,
    display BOOLEAN NOT NULL,
    restart_required BOOLEAN NOT NULL,
    idle_since {{.DateTime}} NULL,
    generation BIGINT NOT NULL
){{.Table}};
CREATE INDEX networks_account ON networks (account_id);
CREATE INDEX networks_zone ON networks (zone_id);

CREATE TABLE public_ips (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    range_id CHAR(36) NOT NULL,
    network_id CHAR(36) NOT NULL,
    address VARCHAR(45) NOT NULL,
    mac VARCHAR(17) NOT NULL,
    source_nat BOOLEAN NOT NULL
){{.Table}};
CREATE INDEX public_ips_network ON public_ips (network_id);
CREATE INDEX public_ips_account ON public_ips (account_id);

CREATE TABLE routers (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    name VARCHAR(64) NOT NULL,
    network_id CHAR(36) NOT NULL,
    zone_id CHAR(36) NOT NULL,
    host_id CHAR(36) NOT NULL,
    state VARCHAR(16) NOT NULL,
    applied BIGINT NOT NULL,
    hash VARCHAR(64) NOT NULL DEFAULT '',
    why VARCHAR(1000) NOT NULL DEFAULT '',
    busy_until BIGINT NOT NULL DEFAULT 0
){{.Table}};
CREATE INDEX routers_network ON routers (network_id);
CREATE INDEX routers_host ON routers (host_id);

CREATE TABLE nics (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    vm_id CHAR(36) NOT NULL,
    network_id CHAR(36) NOT NULL,
    device INTEGER NOT NULL,
    mac VARCHAR(17) NOT NULL,
    ip VARCHAR(45) NOT NULL,
    is_default BOOLEAN NOT NULL
){{.Table}};
CREATE INDEX nics_vm ON nics (vm_id);
CREATE INDEX nics_network ON nics (network_id);
