#!/bin/bash
# Runs a command with a private MariaDB beside it and AERIE_TEST_MYSQL set to
# its address: with-mariadb.sh go test ./services/...
# Commits are flushed as an installation's would be; the folder is in memory
# where there is room, because every test makes a database of its own. Figures
# need AERIE_MARIADB_DIR on a disk.
set -euo pipefail

in_memory() { [ "$(df --output=avail -B1G /dev/shm 2>/dev/null | tail -n1)" -ge 4 ] 2>/dev/null && echo /dev/shm; }
dir=$(mktemp -d "${AERIE_MARIADB_DIR:-$(in_memory || echo /tmp)}/aerie-mariadb.XXXXXX")
server=
stop() {
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
	rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

mariadb-install-db --no-defaults --user="$(id -un)" --datadir="$dir/data" --auth-root-authentication-method=normal \
	--skip-test-db --skip-name-resolve >"$dir/install.log" 2>&1 || { cat "$dir/install.log" >&2; exit 1; }
mariadbd --no-defaults --user="$(id -un)" --datadir="$dir/data" --skip-networking --socket="$dir/sock" --pid-file="$dir/pid" \
	--character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=1 --innodb-buffer-pool-size=256M --max-connections=1000 \
	>"$dir/log" 2>&1 &
server=$!
for _ in $(seq 200); do
	mariadb-admin --no-defaults -uroot -S "$dir/sock" ping >/dev/null 2>&1 && break
	kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
	sleep 0.1
done

AERIE_TEST_MYSQL="root@unix($dir/sock)/" "$@"
