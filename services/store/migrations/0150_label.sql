-- +goose Up
-- What people put on resources. Its owner is the resource's.
CREATE TABLE resource_tags (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    resource_id CHAR(36) NOT NULL,
    tag_key VARCHAR(255) NOT NULL,
    tag_value VARCHAR(255) NOT NULL,
    customer VARCHAR(255) NOT NULL DEFAULT '',
    UNIQUE (resource_id, tag_key)
){{.Table}};
CREATE INDEX resource_tags_account ON resource_tags (account_id, tag_key);
CREATE INDEX resource_tags_key ON resource_tags (tag_key, tag_value, resource_id);

CREATE TABLE resource_details (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    resource_id CHAR(36) NOT NULL,
    detail_key VARCHAR(255) NOT NULL,
    detail_value {{.LongText}} NOT NULL,
    display BOOLEAN NOT NULL,
    UNIQUE (resource_id, detail_key)
){{.Table}};
CREATE INDEX resource_details_account ON resource_details (account_id, kind, detail_key);

CREATE TABLE annotations (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    resource_id CHAR(36) NOT NULL,
    text {{.LongText}} NOT NULL,
    user_id CHAR(36) NOT NULL,
    admins_only BOOLEAN NOT NULL
){{.Table}};
CREATE INDEX annotations_resource ON annotations (resource_id, created_at);
CREATE INDEX annotations_account ON annotations (account_id, created_at);
CREATE INDEX annotations_listed ON annotations (removed_at, created_at, id);
CREATE INDEX annotations_user ON annotations (user_id, created_at);

CREATE TABLE resource_icons (
    resource_id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    account_id CHAR(36) NOT NULL,
    domain_id CHAR(36) NOT NULL,
    domain_path VARCHAR(255) NOT NULL,
    kind VARCHAR(64) NOT NULL,
    media VARCHAR(32) NOT NULL,
    image {{.LongText}} NOT NULL
){{.Table}};

-- The catalogue of guest operating systems. name_key is NULL in what is
-- removed, so that its name is free again.
CREATE TABLE guest_os_categories (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    name VARCHAR(255) NOT NULL UNIQUE,
    featured BOOLEAN NOT NULL,
    sort_key INTEGER NOT NULL DEFAULT 0
){{.Table}};

CREATE TABLE guest_os (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    removed_at {{.DateTime}} NULL,
    category_id CHAR(36) NOT NULL,
    name VARCHAR(255) NOT NULL DEFAULT '',
    display_name VARCHAR(255) NOT NULL,
    name_key VARCHAR(255) NULL UNIQUE,
    display BOOLEAN NOT NULL,
    user_defined BOOLEAN NOT NULL,
    details {{.LongText}} NOT NULL
){{.Table}};
CREATE INDEX guest_os_category ON guest_os (category_id, display_name);

CREATE TABLE guest_os_mappings (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    guest_os_id CHAR(36) NOT NULL,
    hypervisor VARCHAR(32) NOT NULL,
    hypervisor_version VARCHAR(32) NOT NULL,
    name VARCHAR(255) NOT NULL,
    user_defined BOOLEAN NOT NULL,
    UNIQUE (guest_os_id, hypervisor, hypervisor_version)
){{.Table}};
CREATE INDEX guest_os_mappings_hypervisor ON guest_os_mappings (hypervisor, hypervisor_version, name);

-- Number 1 is this cloud itself.
CREATE TABLE regions (
    id INTEGER NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    name VARCHAR(255) NOT NULL UNIQUE,
    endpoint VARCHAR(255) NOT NULL,
    cloud_id VARCHAR(36) NOT NULL DEFAULT ''
){{.Table}};

-- 0: no limit.
CREATE TABLE hypervisor_capabilities (
    id CHAR(36) NOT NULL PRIMARY KEY,
    created_at {{.DateTime}} NOT NULL,
    hypervisor VARCHAR(32) NOT NULL,
    hypervisor_version VARCHAR(32) NOT NULL,
    max_guests BIGINT NOT NULL,
    max_data_volumes INTEGER NOT NULL,
    max_hosts_per_cluster INTEGER NOT NULL,
    security_groups BOOLEAN NOT NULL,
    storage_motion BOOLEAN NOT NULL,
    vm_snapshots BOOLEAN NOT NULL,
    UNIQUE (hypervisor, hypervisor_version)
){{.Table}};

ALTER TABLE templates ADD COLUMN os_type_id CHAR(36) NOT NULL DEFAULT '';
ALTER TABLE templates ADD COLUMN sort_key INTEGER NOT NULL DEFAULT 0;
CREATE INDEX templates_os_type ON templates (os_type_id);
ALTER TABLE vms ADD COLUMN os_type_id CHAR(36) NOT NULL DEFAULT '';

INSERT INTO regions (id, created_at, name, endpoint) VALUES
    (1, '2026-11-01 00:00:00.000', 'Local', 'http://localhost:8080/client/');

INSERT INTO hypervisor_capabilities (id, created_at, hypervisor, hypervisor_version, max_guests, max_data_volumes, max_hosts_per_cluster, security_groups, storage_motion, vm_snapshots) VALUES
    ('17abc538-6794-5ea6-8fac-34fab32997b4', '2026-11-01 00:00:00.000', 'KVM', 'default', 200, 64, 0, TRUE, FALSE, FALSE),
    ('052d79a2-2e52-5045-86d2-657342b03a6f', '2026-11-01 00:00:00.000', 'Simulator', 'default', 0, 64, 0, FALSE, FALSE, FALSE);

INSERT INTO guest_os_categories (id, created_at, name, featured, sort_key) VALUES
    ('0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', '2026-11-01 00:00:00.000', 'CentOS', FALSE, 0),
    ('3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', '2026-11-01 00:00:00.000', 'Debian', TRUE, 1),
    ('863956eb-2a41-57f8-a58c-a898cb391836', '2026-11-01 00:00:00.000', 'Oracle', FALSE, 2),
    ('3388e0ce-416b-521e-9cf2-5240c379aaeb', '2026-11-01 00:00:00.000', 'RedHat', TRUE, 3),
    ('eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', '2026-11-01 00:00:00.000', 'SUSE', TRUE, 4),
    ('6da9ebc7-af4f-59f0-a93c-63e073e4adaf', '2026-11-01 00:00:00.000', 'Windows', TRUE, 5),
    ('cec65371-cf14-5f33-bf9b-e24c0d315c56', '2026-11-01 00:00:00.000', 'Other', FALSE, 6),
    ('1fdc359c-8501-5583-b0b1-be2b65e064a9', '2026-11-01 00:00:00.000', 'Novel', FALSE, 7),
    ('7bccd62d-da74-553a-bfe9-126e141cbba2', '2026-11-01 00:00:00.000', 'Unix', FALSE, 8),
    ('93ed3939-d55a-5308-ab93-9bebff50ad41', '2026-11-01 00:00:00.000', 'Ubuntu', TRUE, 9),
    ('84930476-661e-535e-a394-a0d34c60ef74', '2026-11-01 00:00:00.000', 'None', FALSE, 10),
    ('d768896d-3e61-5b25-aa4f-a408e93154bc', '2026-11-01 00:00:00.000', 'Rocky Linux', TRUE, 11),
    ('1c84c601-3c50-54b5-95fa-4f68d1933a93', '2026-11-01 00:00:00.000', 'AlmaLinux', TRUE, 12),
    ('e5094867-9960-58f2-84c0-764f06d26eb2', '2026-11-01 00:00:00.000', 'Fedora', TRUE, 13),
    ('828b7b5f-3dd9-5224-9673-ebba755b5351', '2026-11-01 00:00:00.000', 'FreeBSD', TRUE, 14),
    ('39514ae4-da05-5eab-b3a1-3c2362aa6219', '2026-11-01 00:00:00.000', 'Arch Linux', FALSE, 15),
    ('57a7bb4f-3db8-53ca-862a-ff7d6fd2a0ee', '2026-11-01 00:00:00.000', 'Alpine Linux', TRUE, 16),
    ('df52621b-4f5e-5629-aec4-e9da8c5939a8', '2026-11-01 00:00:00.000', 'openEuler', FALSE, 17),
    ('02fad6a5-1472-5d78-901f-3aa2ee2a2677', '2026-11-01 00:00:00.000', 'Kylin', FALSE, 18),
    ('cd478ca1-193c-5b8c-a2ba-ad773d58fee1', '2026-11-01 00:00:00.000', 'Apple', FALSE, 19);

INSERT INTO guest_os (id, created_at, category_id, display_name, name_key, display, user_defined, details) VALUES
    ('b846a53f-32dd-54ce-90d0-61f134aae904', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS 7', 'centos 7', TRUE, FALSE, '{}'),
    ('52e35119-f88a-50d3-b67b-ff06bff26a7c', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS 7.9', 'centos 7.9', TRUE, FALSE, '{}'),
    ('7da079b4-85a6-52d6-ae2c-fa9abdc31161', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS 8', 'centos 8', TRUE, FALSE, '{}'),
    ('089a7f75-f495-57cd-aa93-293e49ecd847', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS Stream 8', 'centos stream 8', TRUE, FALSE, '{}'),
    ('ab6aa17f-ac6b-55b5-a45d-03f201bbed03', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS Stream 9', 'centos stream 9', TRUE, FALSE, '{}'),
    ('82f6fe88-0414-5a0f-804a-788c94da8368', '2026-11-01 00:00:00.000', '0ca490f9-8050-5cd7-a8a3-4219bf23b1bd', 'CentOS Stream 10', 'centos stream 10', TRUE, FALSE, '{}'),
    ('e100990a-1634-50fa-9a48-d5ade9e0cf2d', '2026-11-01 00:00:00.000', '3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', 'Debian GNU/Linux 9 (64-bit)', 'debian gnu/linux 9 (64-bit)', TRUE, FALSE, '{}'),
    ('c91ddb95-5250-534d-b161-1d73ba7fe2ab', '2026-11-01 00:00:00.000', '3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', 'Debian GNU/Linux 10 (64-bit)', 'debian gnu/linux 10 (64-bit)', TRUE, FALSE, '{}'),
    ('51db66de-0fa1-5726-b01b-15274ded2637', '2026-11-01 00:00:00.000', '3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', 'Debian GNU/Linux 11 (64-bit)', 'debian gnu/linux 11 (64-bit)', TRUE, FALSE, '{}'),
    ('906ddac1-3dae-5b05-96ca-666cd44f0938', '2026-11-01 00:00:00.000', '3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', 'Debian GNU/Linux 12 (64-bit)', 'debian gnu/linux 12 (64-bit)', TRUE, FALSE, '{}'),
    ('80ae938f-dcf8-576a-91f0-3293529dfe14', '2026-11-01 00:00:00.000', '3a5fd9e9-14d0-57b3-aab1-536bddf6cce0', 'Debian GNU/Linux 13 (64-bit)', 'debian gnu/linux 13 (64-bit)', TRUE, FALSE, '{}'),
    ('bf220fbd-edf4-511e-bea1-c7dfd146c604', '2026-11-01 00:00:00.000', '863956eb-2a41-57f8-a58c-a898cb391836', 'Oracle Linux 7', 'oracle linux 7', TRUE, FALSE, '{}'),
    ('6ff990dd-2ca7-5998-b9cb-e57fbf4a48f2', '2026-11-01 00:00:00.000', '863956eb-2a41-57f8-a58c-a898cb391836', 'Oracle Linux 8', 'oracle linux 8', TRUE, FALSE, '{}'),
    ('42921702-dd6d-5ee9-a2c2-2688ff62cff8', '2026-11-01 00:00:00.000', '863956eb-2a41-57f8-a58c-a898cb391836', 'Oracle Linux 9', 'oracle linux 9', TRUE, FALSE, '{}'),
    ('3c860767-1fbf-5fd7-a54c-b9ef8b143342', '2026-11-01 00:00:00.000', '863956eb-2a41-57f8-a58c-a898cb391836', 'Oracle Linux 10', 'oracle linux 10', TRUE, FALSE, '{}'),
    ('57f51742-b49a-53b0-8229-f90766bda1ad', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 7.9', 'red hat enterprise linux 7.9', TRUE, FALSE, '{}'),
    ('6758c564-1c76-50b1-9216-305279578cb1', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 8.10', 'red hat enterprise linux 8.10', TRUE, FALSE, '{}'),
    ('8e00f412-c3a6-5b3e-9a22-2facad85958c', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 9.0', 'red hat enterprise linux 9.0', TRUE, FALSE, '{}'),
    ('47435fe3-ba5d-5b55-9b90-9222c204f869', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 9.4', 'red hat enterprise linux 9.4', TRUE, FALSE, '{}'),
    ('0aa3931e-32df-5840-9ea8-afd7b7df3ddb', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 9.6', 'red hat enterprise linux 9.6', TRUE, FALSE, '{}'),
    ('634560e5-b954-513c-bf79-d8a746dab68f', '2026-11-01 00:00:00.000', '3388e0ce-416b-521e-9cf2-5240c379aaeb', 'Red Hat Enterprise Linux 10.0', 'red hat enterprise linux 10.0', TRUE, FALSE, '{}'),
    ('d4002394-d024-5a15-9dff-50ef799eea26', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'SUSE Linux Enterprise Server 12 SP5 (64-bit)', 'suse linux enterprise server 12 sp5 (64-bit)', TRUE, FALSE, '{}'),
    ('53243408-de3f-5063-a797-c1bcde2d8606', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'SUSE Linux Enterprise Server 15 SP5 (64-bit)', 'suse linux enterprise server 15 sp5 (64-bit)', TRUE, FALSE, '{}'),
    ('b103f867-c78d-5c37-896b-bde6d78c5588', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'SUSE Linux Enterprise Server 15 SP6 (64-bit)', 'suse linux enterprise server 15 sp6 (64-bit)', TRUE, FALSE, '{}'),
    ('bdaa6529-aaca-5b7e-9d34-6c59458e618a', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'SUSE Linux Enterprise Server 15 SP7 (64-bit)', 'suse linux enterprise server 15 sp7 (64-bit)', TRUE, FALSE, '{}'),
    ('0d946ea6-a5ad-5a35-9319-b34c57e05074', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'openSUSE Leap 15 (64-bit)', 'opensuse leap 15 (64-bit)', TRUE, FALSE, '{}'),
    ('c9dac1f9-cd0e-50e6-9c46-52b059b40b30', '2026-11-01 00:00:00.000', 'eb2f1a61-b471-5f1e-9dff-9d43f0e5bbf1', 'openSUSE Tumbleweed (64-bit)', 'opensuse tumbleweed (64-bit)', TRUE, FALSE, '{}'),
    ('9cfd42d7-c6f8-54a0-97f8-c92b5bb12844', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows 10 (64-bit)', 'windows 10 (64-bit)', TRUE, FALSE, '{}'),
    ('3e2e316e-101c-5858-bdaf-0609009459e7', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows 11 (64-bit)', 'windows 11 (64-bit)', TRUE, FALSE, '{}'),
    ('99da4753-c8d5-50bd-83e7-d7cab992600c', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows Server 2016 (64-bit)', 'windows server 2016 (64-bit)', TRUE, FALSE, '{}'),
    ('c26d0f03-2f25-5d2c-9a49-f2436e8e6984', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows Server 2019 (64-bit)', 'windows server 2019 (64-bit)', TRUE, FALSE, '{}'),
    ('d18039aa-fd00-597f-acaa-6a43ac9ea6ed', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows Server 2022 (64-bit)', 'windows server 2022 (64-bit)', TRUE, FALSE, '{}'),
    ('27a7e558-871c-52ee-a6b1-67ae35879933', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows Server 2025 (64-bit)', 'windows server 2025 (64-bit)', TRUE, FALSE, '{}'),
    ('b16aac00-4f0b-5ae0-88a7-a5840fa69ef1', '2026-11-01 00:00:00.000', '6da9ebc7-af4f-59f0-a93c-63e073e4adaf', 'Windows PV', 'windows pv', TRUE, FALSE, '{}'),
    ('8f3d851e-3c55-52ee-8657-41f7c98e58f4', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other (32-bit)', 'other (32-bit)', TRUE, FALSE, '{}'),
    ('46587d69-6867-56ae-a5cf-589f9c9e7190', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other (64-bit)', 'other (64-bit)', TRUE, FALSE, '{}'),
    ('cea05eea-a0d5-5c80-aaca-e89e4bc72a43', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other PV (32-bit)', 'other pv (32-bit)', TRUE, FALSE, '{}'),
    ('e849e897-26d0-588c-8e0a-448f6847197d', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other PV (64-bit)', 'other pv (64-bit)', TRUE, FALSE, '{}'),
    ('6b5b4304-fb96-58f6-a15d-aa6d8ca6c683', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other Linux (32-bit)', 'other linux (32-bit)', TRUE, FALSE, '{}'),
    ('cfc93b8e-22b5-5b69-bad1-1da228982257', '2026-11-01 00:00:00.000', 'cec65371-cf14-5f33-bf9b-e24c0d315c56', 'Other Linux (64-bit)', 'other linux (64-bit)', TRUE, FALSE, '{}'),
    ('8372ca17-4d46-5088-b30c-d28beec71dec', '2026-11-01 00:00:00.000', '1fdc359c-8501-5583-b0b1-be2b65e064a9', 'Other SUSE Linux(32-bit)', 'other suse linux(32-bit)', TRUE, FALSE, '{}'),
    ('e9665a4f-99bb-52bd-be92-09675a2f1c84', '2026-11-01 00:00:00.000', '1fdc359c-8501-5583-b0b1-be2b65e064a9', 'Other SUSE Linux(64-bit)', 'other suse linux(64-bit)', TRUE, FALSE, '{}'),
    ('5ae73037-8144-55e0-9ec2-598829b31774', '2026-11-01 00:00:00.000', '7bccd62d-da74-553a-bfe9-126e141cbba2', 'FreeBSD (64-bit)', 'freebsd (64-bit)', TRUE, FALSE, '{}'),
    ('936cdfb1-de59-5fac-8e8d-e52389e95b07', '2026-11-01 00:00:00.000', '7bccd62d-da74-553a-bfe9-126e141cbba2', 'OpenBSD 7 (64-bit)', 'openbsd 7 (64-bit)', TRUE, FALSE, '{}'),
    ('5f6fc07f-783e-54e0-abe5-74379e57c2fc', '2026-11-01 00:00:00.000', '7bccd62d-da74-553a-bfe9-126e141cbba2', 'NetBSD 10 (64-bit)', 'netbsd 10 (64-bit)', TRUE, FALSE, '{}'),
    ('cfe3fd32-cd56-5265-9b3b-9d8aa1adcb98', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 18.04 LTS', 'ubuntu 18.04 lts', TRUE, FALSE, '{}'),
    ('46848c3c-d17b-575d-ace2-1eac98e88657', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 20.04 LTS', 'ubuntu 20.04 lts', TRUE, FALSE, '{}'),
    ('b92b1987-3360-5882-9c6e-ddfcab6bcdd8', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 22.04 LTS', 'ubuntu 22.04 lts', TRUE, FALSE, '{}'),
    ('481e6980-27d6-54eb-9c18-be64608ca92a', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 24.04 LTS', 'ubuntu 24.04 lts', TRUE, FALSE, '{}'),
    ('c8e05495-87e1-5ec9-87e0-13d8a5b80251', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 25.04', 'ubuntu 25.04', TRUE, FALSE, '{}'),
    ('4745afdf-953d-50ea-835f-9386ec2ff53b', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Ubuntu 25.10', 'ubuntu 25.10', TRUE, FALSE, '{}'),
    ('cf11b488-5a0c-5a53-9cf5-c4fa047f7daa', '2026-11-01 00:00:00.000', '93ed3939-d55a-5308-ab93-9bebff50ad41', 'Other Ubuntu (64-bit)', 'other ubuntu (64-bit)', TRUE, FALSE, '{}'),
    ('c3864e85-8833-58ca-a70e-e4c685214f58', '2026-11-01 00:00:00.000', '84930476-661e-535e-a394-a0d34c60ef74', 'None', 'none', TRUE, FALSE, '{}'),
    ('4ed883a3-7728-591d-893e-69e39b3d7603', '2026-11-01 00:00:00.000', 'd768896d-3e61-5b25-aa4f-a408e93154bc', 'Rocky Linux 8', 'rocky linux 8', TRUE, FALSE, '{}'),
    ('1615291f-b7a4-50f3-9fe3-3ee910ac6ad0', '2026-11-01 00:00:00.000', 'd768896d-3e61-5b25-aa4f-a408e93154bc', 'Rocky Linux 9', 'rocky linux 9', TRUE, FALSE, '{}'),
    ('450ea807-cd15-5b71-a9a0-2c9543bb5130', '2026-11-01 00:00:00.000', 'd768896d-3e61-5b25-aa4f-a408e93154bc', 'Rocky Linux 10', 'rocky linux 10', TRUE, FALSE, '{}'),
    ('806cbab4-f79e-5df6-9b6b-c73c7b4ce3a5', '2026-11-01 00:00:00.000', '1c84c601-3c50-54b5-95fa-4f68d1933a93', 'AlmaLinux 8', 'almalinux 8', TRUE, FALSE, '{}'),
    ('5d9a5ded-7eb3-5273-8479-2a063e2290f4', '2026-11-01 00:00:00.000', '1c84c601-3c50-54b5-95fa-4f68d1933a93', 'AlmaLinux 9', 'almalinux 9', TRUE, FALSE, '{}'),
    ('5481e237-4907-5acb-94c9-fdeffb08bc3f', '2026-11-01 00:00:00.000', '1c84c601-3c50-54b5-95fa-4f68d1933a93', 'AlmaLinux 10', 'almalinux 10', TRUE, FALSE, '{}'),
    ('887c1c01-4bc3-5126-be72-caeb99833226', '2026-11-01 00:00:00.000', 'e5094867-9960-58f2-84c0-764f06d26eb2', 'Fedora Linux 41', 'fedora linux 41', TRUE, FALSE, '{}'),
    ('4a102980-e0a5-543b-892d-25c7f17b2b31', '2026-11-01 00:00:00.000', 'e5094867-9960-58f2-84c0-764f06d26eb2', 'Fedora Linux 42', 'fedora linux 42', TRUE, FALSE, '{}'),
    ('30fe4c20-ec99-51da-aacc-98f09ce316e1', '2026-11-01 00:00:00.000', 'e5094867-9960-58f2-84c0-764f06d26eb2', 'Fedora Linux 43', 'fedora linux 43', TRUE, FALSE, '{}'),
    ('8f085fbc-2ce9-51fd-b746-eac1ebe34f45', '2026-11-01 00:00:00.000', 'e5094867-9960-58f2-84c0-764f06d26eb2', 'Fedora Linux (64 bit)', 'fedora linux (64 bit)', TRUE, FALSE, '{}'),
    ('d4a29150-063c-5ad1-a2c5-c09913c3d9f1', '2026-11-01 00:00:00.000', '828b7b5f-3dd9-5224-9673-ebba755b5351', 'FreeBSD 13 (64-bit)', 'freebsd 13 (64-bit)', TRUE, FALSE, '{}'),
    ('bbff8c1a-3038-5063-bfc0-4902c6139156', '2026-11-01 00:00:00.000', '828b7b5f-3dd9-5224-9673-ebba755b5351', 'FreeBSD 14 (64-bit)', 'freebsd 14 (64-bit)', TRUE, FALSE, '{}'),
    ('07c2d19e-f84f-51b8-bf21-a37f31fbaecd', '2026-11-01 00:00:00.000', '828b7b5f-3dd9-5224-9673-ebba755b5351', 'FreeBSD 15 (64-bit)', 'freebsd 15 (64-bit)', TRUE, FALSE, '{}'),
    ('bf2030df-b77c-54b0-9ddd-d1b80b633f71', '2026-11-01 00:00:00.000', '39514ae4-da05-5eab-b3a1-3c2362aa6219', 'Arch Linux (64-bit)', 'arch linux (64-bit)', TRUE, FALSE, '{}'),
    ('58d280d1-1e7c-5618-8c13-ec5dea50ce37', '2026-11-01 00:00:00.000', '57a7bb4f-3db8-53ca-862a-ff7d6fd2a0ee', 'Alpine Linux 3 (64-bit)', 'alpine linux 3 (64-bit)', TRUE, FALSE, '{}'),
    ('bfe585ec-0b73-5018-b505-eb2d8017d904', '2026-11-01 00:00:00.000', 'df52621b-4f5e-5629-aec4-e9da8c5939a8', 'openEuler 22.03 LTS', 'openeuler 22.03 lts', TRUE, FALSE, '{}'),
    ('1c1074f8-4f8f-51c1-a8a7-3ca12af93789', '2026-11-01 00:00:00.000', 'df52621b-4f5e-5629-aec4-e9da8c5939a8', 'openEuler 24.03 LTS', 'openeuler 24.03 lts', TRUE, FALSE, '{}'),
    ('b4a4cdeb-690d-5df4-92e3-b100124f0f5f', '2026-11-01 00:00:00.000', '02fad6a5-1472-5d78-901f-3aa2ee2a2677', 'Kylin V10', 'kylin v10', TRUE, FALSE, '{}'),
    ('dcd09439-a3c1-5159-a8e2-bdbf4f437f74', '2026-11-01 00:00:00.000', 'cd478ca1-193c-5b8c-a2ba-ad773d58fee1', 'macOS (64-bit)', 'macos (64-bit)', TRUE, FALSE, '{}');

INSERT INTO guest_os_mappings (id, created_at, guest_os_id, hypervisor, hypervisor_version, name, user_defined) VALUES
    ('ec59fe18-3c07-5ba6-ba31-da963983a873', '2026-11-01 00:00:00.000', 'b846a53f-32dd-54ce-90d0-61f134aae904', 'KVM', 'default', 'CentOS 7', FALSE),
    ('4a2f7378-6570-5137-b8dd-b807e2e479a8', '2026-11-01 00:00:00.000', '52e35119-f88a-50d3-b67b-ff06bff26a7c', 'KVM', 'default', 'CentOS 7.9', FALSE),
    ('b417b387-31e1-520e-91f7-33a13d7e2b6b', '2026-11-01 00:00:00.000', '7da079b4-85a6-52d6-ae2c-fa9abdc31161', 'KVM', 'default', 'CentOS 8', FALSE),
    ('66661035-51aa-55eb-9bb4-89d91aae4cf8', '2026-11-01 00:00:00.000', '089a7f75-f495-57cd-aa93-293e49ecd847', 'KVM', 'default', 'CentOS Stream 8', FALSE),
    ('33817586-f1ad-5dc7-9555-1cb76a369660', '2026-11-01 00:00:00.000', 'ab6aa17f-ac6b-55b5-a45d-03f201bbed03', 'KVM', 'default', 'CentOS Stream 9', FALSE),
    ('521447d3-114b-55fa-ba25-6f09198b10c4', '2026-11-01 00:00:00.000', '82f6fe88-0414-5a0f-804a-788c94da8368', 'KVM', 'default', 'CentOS Stream 10', FALSE),
    ('9d8307a2-e644-5197-838b-ca7009232dcd', '2026-11-01 00:00:00.000', 'e100990a-1634-50fa-9a48-d5ade9e0cf2d', 'KVM', 'default', 'Debian GNU/Linux 9 (64-bit)', FALSE),
    ('e17741f2-1c4e-5d02-88ab-93de0ca713d8', '2026-11-01 00:00:00.000', 'c91ddb95-5250-534d-b161-1d73ba7fe2ab', 'KVM', 'default', 'Debian GNU/Linux 10 (64-bit)', FALSE),
    ('c90e7685-c56f-59d1-9b17-39acfe31bff8', '2026-11-01 00:00:00.000', '51db66de-0fa1-5726-b01b-15274ded2637', 'KVM', 'default', 'Debian GNU/Linux 11 (64-bit)', FALSE),
    ('de6eca1e-abdf-53a0-8ced-4a6942a57e5b', '2026-11-01 00:00:00.000', '906ddac1-3dae-5b05-96ca-666cd44f0938', 'KVM', 'default', 'Debian GNU/Linux 12 (64-bit)', FALSE),
    ('59083920-5e61-536b-a35a-f1aaf681a27a', '2026-11-01 00:00:00.000', '80ae938f-dcf8-576a-91f0-3293529dfe14', 'KVM', 'default', 'Debian GNU/Linux 13 (64-bit)', FALSE),
    ('88772793-23df-51f3-a9f2-ff563cb132c6', '2026-11-01 00:00:00.000', 'bf220fbd-edf4-511e-bea1-c7dfd146c604', 'KVM', 'default', 'Oracle Linux 7', FALSE),
    ('f8dd525b-236b-527f-994a-d6f53ad2f785', '2026-11-01 00:00:00.000', '6ff990dd-2ca7-5998-b9cb-e57fbf4a48f2', 'KVM', 'default', 'Oracle Linux 8', FALSE),
    ('8e0e0e31-4c2b-5ba1-b549-3af7dc3a2b39', '2026-11-01 00:00:00.000', '42921702-dd6d-5ee9-a2c2-2688ff62cff8', 'KVM', 'default', 'Oracle Linux 9', FALSE),
    ('7cf39c33-9a2a-50f2-a7cd-7bc3d9948265', '2026-11-01 00:00:00.000', '3c860767-1fbf-5fd7-a54c-b9ef8b143342', 'KVM', 'default', 'Oracle Linux 10', FALSE),
    ('7ae164cd-ecdf-5b8e-92cb-d1216f8abf1a', '2026-11-01 00:00:00.000', '57f51742-b49a-53b0-8229-f90766bda1ad', 'KVM', 'default', 'Red Hat Enterprise Linux 7.9', FALSE),
    ('1136ef6f-3b16-5f60-bfde-af11cdb93ed6', '2026-11-01 00:00:00.000', '6758c564-1c76-50b1-9216-305279578cb1', 'KVM', 'default', 'Red Hat Enterprise Linux 8.10', FALSE),
    ('0afd907f-69a8-5c4a-96fa-0d3c9a9de806', '2026-11-01 00:00:00.000', '8e00f412-c3a6-5b3e-9a22-2facad85958c', 'KVM', 'default', 'Red Hat Enterprise Linux 9.0', FALSE),
    ('6aff4e29-6e3b-5f47-a3ba-076b4495a9b1', '2026-11-01 00:00:00.000', '47435fe3-ba5d-5b55-9b90-9222c204f869', 'KVM', 'default', 'Red Hat Enterprise Linux 9.4', FALSE),
    ('b22939ab-5446-5187-a76b-a7805bcad710', '2026-11-01 00:00:00.000', '0aa3931e-32df-5840-9ea8-afd7b7df3ddb', 'KVM', 'default', 'Red Hat Enterprise Linux 9.6', FALSE),
    ('a0b7c2d3-ef8e-534a-a5a7-7e3d78666587', '2026-11-01 00:00:00.000', '634560e5-b954-513c-bf79-d8a746dab68f', 'KVM', 'default', 'Red Hat Enterprise Linux 10.0', FALSE),
    ('58df254e-8f6d-5a6d-9d8f-dfd99854f3aa', '2026-11-01 00:00:00.000', 'd4002394-d024-5a15-9dff-50ef799eea26', 'KVM', 'default', 'SUSE Linux Enterprise Server 12 SP5 (64-bit)', FALSE),
    ('c5dad51a-3949-577f-b521-578cddad680d', '2026-11-01 00:00:00.000', '53243408-de3f-5063-a797-c1bcde2d8606', 'KVM', 'default', 'SUSE Linux Enterprise Server 15 SP5 (64-bit)', FALSE),
    ('25b29b83-12e0-5ca9-96a2-5271ac380c04', '2026-11-01 00:00:00.000', 'b103f867-c78d-5c37-896b-bde6d78c5588', 'KVM', 'default', 'SUSE Linux Enterprise Server 15 SP6 (64-bit)', FALSE),
    ('3cd09a19-1686-5e04-bd35-88fdd8670bba', '2026-11-01 00:00:00.000', 'bdaa6529-aaca-5b7e-9d34-6c59458e618a', 'KVM', 'default', 'SUSE Linux Enterprise Server 15 SP7 (64-bit)', FALSE),
    ('e0909d16-a906-572d-837c-ac688ae11a17', '2026-11-01 00:00:00.000', '0d946ea6-a5ad-5a35-9319-b34c57e05074', 'KVM', 'default', 'openSUSE Leap 15 (64-bit)', FALSE),
    ('8f947ceb-ffc3-51ca-9876-b507447df35f', '2026-11-01 00:00:00.000', 'c9dac1f9-cd0e-50e6-9c46-52b059b40b30', 'KVM', 'default', 'openSUSE Tumbleweed (64-bit)', FALSE),
    ('33bc73b9-6a02-549a-aeeb-07b767af7e4b', '2026-11-01 00:00:00.000', '9cfd42d7-c6f8-54a0-97f8-c92b5bb12844', 'KVM', 'default', 'Windows 10 (64-bit)', FALSE),
    ('ac1e12b7-22a8-50e5-94b8-c2c9c40fc808', '2026-11-01 00:00:00.000', '3e2e316e-101c-5858-bdaf-0609009459e7', 'KVM', 'default', 'Windows 11 (64-bit)', FALSE),
    ('6a33665b-2886-5e5c-b4cb-8f632fcb85b9', '2026-11-01 00:00:00.000', '99da4753-c8d5-50bd-83e7-d7cab992600c', 'KVM', 'default', 'Windows Server 2016 (64-bit)', FALSE),
    ('29234186-3902-50f0-b516-bdc9cabee106', '2026-11-01 00:00:00.000', 'c26d0f03-2f25-5d2c-9a49-f2436e8e6984', 'KVM', 'default', 'Windows Server 2019 (64-bit)', FALSE),
    ('32e3bf0e-a766-54f4-bba5-0745137b946b', '2026-11-01 00:00:00.000', 'd18039aa-fd00-597f-acaa-6a43ac9ea6ed', 'KVM', 'default', 'Windows Server 2022 (64-bit)', FALSE),
    ('a353147a-817a-5658-be3f-9bd6e950814b', '2026-11-01 00:00:00.000', '27a7e558-871c-52ee-a6b1-67ae35879933', 'KVM', 'default', 'Windows Server 2025 (64-bit)', FALSE),
    ('e357af94-cbe5-53a1-897f-ffdb0079c0cb', '2026-11-01 00:00:00.000', 'b16aac00-4f0b-5ae0-88a7-a5840fa69ef1', 'KVM', 'default', 'Windows PV', FALSE),
    ('8e2a668e-b7ff-5e81-921b-e8fdba4269e9', '2026-11-01 00:00:00.000', '8f3d851e-3c55-52ee-8657-41f7c98e58f4', 'KVM', 'default', 'Other (32-bit)', FALSE),
    ('d4d6a5d0-54dc-5c6f-82ac-1d1f1b6c65ff', '2026-11-01 00:00:00.000', '46587d69-6867-56ae-a5cf-589f9c9e7190', 'KVM', 'default', 'Other (64-bit)', FALSE),
    ('b7c4bbed-7697-5561-9901-7bf11a6396fe', '2026-11-01 00:00:00.000', 'cea05eea-a0d5-5c80-aaca-e89e4bc72a43', 'KVM', 'default', 'Other PV (32-bit)', FALSE),
    ('63ae7aa8-356b-570c-b26c-d0521c82845a', '2026-11-01 00:00:00.000', 'e849e897-26d0-588c-8e0a-448f6847197d', 'KVM', 'default', 'Other PV (64-bit)', FALSE),
    ('92e866e3-8b6e-5fd3-8e2a-d05d077518ab', '2026-11-01 00:00:00.000', '6b5b4304-fb96-58f6-a15d-aa6d8ca6c683', 'KVM', 'default', 'Other Linux (32-bit)', FALSE),
    ('7ae4e752-f0ec-5a63-b825-03cfadaafe16', '2026-11-01 00:00:00.000', 'cfc93b8e-22b5-5b69-bad1-1da228982257', 'KVM', 'default', 'Other Linux (64-bit)', FALSE),
    ('080b5fa1-14f2-515b-930f-1cfcff4ad87d', '2026-11-01 00:00:00.000', '8372ca17-4d46-5088-b30c-d28beec71dec', 'KVM', 'default', 'Other SUSE Linux(32-bit)', FALSE),
    ('8743410f-5b77-56a5-90ac-d90a9cf3d561', '2026-11-01 00:00:00.000', 'e9665a4f-99bb-52bd-be92-09675a2f1c84', 'KVM', 'default', 'Other SUSE Linux(64-bit)', FALSE),
    ('b2fb9b46-ac24-548a-9f30-4cc4baa9977f', '2026-11-01 00:00:00.000', '5ae73037-8144-55e0-9ec2-598829b31774', 'KVM', 'default', 'FreeBSD (64-bit)', FALSE),
    ('5732dd77-036f-512b-a967-4d897ce2620f', '2026-11-01 00:00:00.000', '936cdfb1-de59-5fac-8e8d-e52389e95b07', 'KVM', 'default', 'OpenBSD 7 (64-bit)', FALSE),
    ('db46348f-81de-583f-8ccb-e89224df965d', '2026-11-01 00:00:00.000', '5f6fc07f-783e-54e0-abe5-74379e57c2fc', 'KVM', 'default', 'NetBSD 10 (64-bit)', FALSE),
    ('607d630c-6148-5ba7-a01e-8ce849855f9b', '2026-11-01 00:00:00.000', 'cfe3fd32-cd56-5265-9b3b-9d8aa1adcb98', 'KVM', 'default', 'Ubuntu 18.04 LTS', FALSE),
    ('6896bda1-057d-50cd-9639-ddd4238c36a6', '2026-11-01 00:00:00.000', '46848c3c-d17b-575d-ace2-1eac98e88657', 'KVM', 'default', 'Ubuntu 20.04 LTS', FALSE),
    ('50be622a-f8f3-5afb-aa9e-38213b4caf3a', '2026-11-01 00:00:00.000', 'b92b1987-3360-5882-9c6e-ddfcab6bcdd8', 'KVM', 'default', 'Ubuntu 22.04 LTS', FALSE),
    ('a58426cc-ec91-5be5-86ed-37efd4e4f81e', '2026-11-01 00:00:00.000', '481e6980-27d6-54eb-9c18-be64608ca92a', 'KVM', 'default', 'Ubuntu 24.04 LTS', FALSE),
    ('174269a6-ab37-5851-b95d-c50de461a2a6', '2026-11-01 00:00:00.000', 'c8e05495-87e1-5ec9-87e0-13d8a5b80251', 'KVM', 'default', 'Ubuntu 25.04', FALSE),
    ('44b25941-c718-533c-a8c3-fba900c93f4b', '2026-11-01 00:00:00.000', '4745afdf-953d-50ea-835f-9386ec2ff53b', 'KVM', 'default', 'Ubuntu 25.10', FALSE),
    ('12b05959-746e-5346-9222-b085e21e469d', '2026-11-01 00:00:00.000', 'cf11b488-5a0c-5a53-9cf5-c4fa047f7daa', 'KVM', 'default', 'Other Ubuntu (64-bit)', FALSE),
    ('5aa69fab-066e-5f93-92ac-1ab39504d9a6', '2026-11-01 00:00:00.000', 'c3864e85-8833-58ca-a70e-e4c685214f58', 'KVM', 'default', 'None', FALSE),
    ('cf17eeab-6c43-597f-bae8-c38b237082ac', '2026-11-01 00:00:00.000', '4ed883a3-7728-591d-893e-69e39b3d7603', 'KVM', 'default', 'Rocky Linux 8', FALSE),
    ('d7cdcc4d-1278-5036-8f67-83a5360bba11', '2026-11-01 00:00:00.000', '1615291f-b7a4-50f3-9fe3-3ee910ac6ad0', 'KVM', 'default', 'Rocky Linux 9', FALSE),
    ('f4b86570-ab1a-5349-91e0-48f7fabf9cb3', '2026-11-01 00:00:00.000', '450ea807-cd15-5b71-a9a0-2c9543bb5130', 'KVM', 'default', 'Rocky Linux 10', FALSE),
    ('1ee402d4-29ae-53c3-b2c5-7f10d6377833', '2026-11-01 00:00:00.000', '806cbab4-f79e-5df6-9b6b-c73c7b4ce3a5', 'KVM', 'default', 'AlmaLinux 8', FALSE),
    ('df49b1ab-2073-5af7-925b-cd154bd71322', '2026-11-01 00:00:00.000', '5d9a5ded-7eb3-5273-8479-2a063e2290f4', 'KVM', 'default', 'AlmaLinux 9', FALSE),
    ('8a41d322-e863-50c6-82f4-972ff604d99a', '2026-11-01 00:00:00.000', '5481e237-4907-5acb-94c9-fdeffb08bc3f', 'KVM', 'default', 'AlmaLinux 10', FALSE),
    ('ae7b30e1-f532-5515-981a-50e809f3938c', '2026-11-01 00:00:00.000', '887c1c01-4bc3-5126-be72-caeb99833226', 'KVM', 'default', 'Fedora Linux 41', FALSE),
    ('3e554b1a-57a9-5938-be97-5d60749e25c0', '2026-11-01 00:00:00.000', '4a102980-e0a5-543b-892d-25c7f17b2b31', 'KVM', 'default', 'Fedora Linux 42', FALSE),
    ('5c7f1bcc-8388-5f6b-b0eb-bb00d75288b8', '2026-11-01 00:00:00.000', '30fe4c20-ec99-51da-aacc-98f09ce316e1', 'KVM', 'default', 'Fedora Linux 43', FALSE),
    ('232d9284-d384-563a-9264-984e3f0eac8b', '2026-11-01 00:00:00.000', '8f085fbc-2ce9-51fd-b746-eac1ebe34f45', 'KVM', 'default', 'Fedora Linux (64 bit)', FALSE),
    ('63b969a5-3956-5d5a-b3ee-57c2b7a2f7df', '2026-11-01 00:00:00.000', 'd4a29150-063c-5ad1-a2c5-c09913c3d9f1', 'KVM', 'default', 'FreeBSD 13 (64-bit)', FALSE),
    ('770a302b-55e0-5585-92a0-0afac6693f8c', '2026-11-01 00:00:00.000', 'bbff8c1a-3038-5063-bfc0-4902c6139156', 'KVM', 'default', 'FreeBSD 14 (64-bit)', FALSE),
    ('1030fbae-1ddb-596e-850d-839aef79dd99', '2026-11-01 00:00:00.000', '07c2d19e-f84f-51b8-bf21-a37f31fbaecd', 'KVM', 'default', 'FreeBSD 15 (64-bit)', FALSE),
    ('edb79b1f-174e-5b39-b46f-bd1afc2e52de', '2026-11-01 00:00:00.000', 'bf2030df-b77c-54b0-9ddd-d1b80b633f71', 'KVM', 'default', 'Arch Linux (64-bit)', FALSE),
    ('2cb995d2-8064-5251-b6c3-4112e4b551b2', '2026-11-01 00:00:00.000', '58d280d1-1e7c-5618-8c13-ec5dea50ce37', 'KVM', 'default', 'Alpine Linux 3 (64-bit)', FALSE),
    ('acde1f9b-9ab3-56b4-bf1e-bfbe74e83904', '2026-11-01 00:00:00.000', 'bfe585ec-0b73-5018-b505-eb2d8017d904', 'KVM', 'default', 'openEuler 22.03 LTS', FALSE),
    ('d3b60ffd-cba1-504d-923a-0f9393968e02', '2026-11-01 00:00:00.000', '1c1074f8-4f8f-51c1-a8a7-3ca12af93789', 'KVM', 'default', 'openEuler 24.03 LTS', FALSE),
    ('d097fec2-37cf-53bc-9e77-4b898bcbd11c', '2026-11-01 00:00:00.000', 'b4a4cdeb-690d-5df4-92e3-b100124f0f5f', 'KVM', 'default', 'Kylin V10', FALSE),
    ('2472a0c8-46f2-542e-b594-c91fb882957b', '2026-11-01 00:00:00.000', 'dcd09439-a3c1-5159-a8e2-bdbf4f437f74', 'KVM', 'default', 'macOS (64-bit)', FALSE);

-- What templates and instances called by its name.
UPDATE templates SET os_type_id = COALESCE((SELECT guest_os.id FROM guest_os WHERE guest_os.display_name = templates.os_type), '');
UPDATE vms SET os_type_id = COALESCE((SELECT guest_os.id FROM guest_os WHERE guest_os.display_name = vms.os_type), '');
