#!/bin/bash
# packages.sh run|test: installs the Debian packages which Aerie, or Aerie and
# its tests, need on this machine. Names what is missing before it installs;
# does nothing, quickly, when nothing is.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1

fail() { echo "setup: $*" >&2; exit 1; }

# A virtual machine host: libvirt, QEMU, and what networks are made of.
run="libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils
 dnsmasq-base dnsmasq-utils nftables iproute2 conntrack iptables ca-certificates"
# Building the programs and the guest image.
run+=" make git gcc libc6-dev binutils syslinux syslinux-common mtools cpio e2fsprogs"
command -v npm >/dev/null || run+=" nodejs npm"
# What only tests use: databases, directories, a browser, a reference proxy.
test="mariadb-server slapd ldap-utils chromium busybox-static websockify openssh-client iputils-ping curl"

case ${1:-} in
run) wanted=$run ;;
test) wanted="$run $test" ;;
*) fail "usage: packages.sh run|test" ;;
esac

# Debian's Go is older than go.mod asks for, and too old to fetch a newer one.
need_go() {
	local need have
	PATH=$PATH:/usr/local/go/bin
	need=$(sed -n 's/^go //p' go.mod)
	have=$(go env GOVERSION 2>/dev/null | sed 's/^go//')
	[ -n "$have" ] && [ "$(printf '%s\n' "$need" "$have" | sort -V | head -n 1)" = "$need" ] && return
	fail "Go $need or newer is needed${have:+ (here is $have)}: unpack it from https://go.dev/dl/ to /usr/local/go"
}

command -v apt-get dpkg-query >/dev/null ||
	fail "this is not Debian or Ubuntu; install the equivalents of: ${wanted//$'\n'/}"
# shellcheck disable=SC2086
missing=$(comm -23 <(printf '%s\n' $wanted | sort -u) \
	<(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p' | sort -u))
[ -n "$missing" ] || { need_go; exit 0; }
# shellcheck disable=SC2086
echo "setup: installing" $missing

root=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || fail "installing needs root: run this as root, or install sudo"
	root="sudo"
fi

# Without systemd the packages' own scripts would start their daemons and leave
# them behind. Debian asks policy-rc.d first; 101 means no.
policy=/usr/sbin/policy-rc.d
restore() {
	[ -n "${policed:-}" ] || return 0
	if [ -e $policy.aerie ]; then $root mv -f $policy.aerie $policy; else $root rm -f $policy; fi
}
if [ ! -d /run/systemd/system ]; then
	trap restore EXIT
	trap 'exit 130' INT TERM HUP
	# A run that was killed may have left ours behind, and the owner's aside.
	if [ -e $policy ] && ! grep -qs "written by Aerie" $policy; then $root mv $policy $policy.aerie; fi
	policed=1
	printf '#!/bin/sh\n# written by Aerie while it installs packages\nexit 101\n' | $root tee $policy >/dev/null
	$root chmod 755 $policy
fi

log=$(mktemp)
apt() {
	$root env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get -q -y -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 "$@" >>"$log" 2>&1
}
apt update || echo "setup: apt-get update did not reach every archive; trying what is known" >&2
# shellcheck disable=SC2086
if ! apt install --no-install-recommends $missing; then
	tail -n 15 "$log" >&2
	fail "apt-get could not install all packages; the whole log is $log"
fi
rm -f "$log"
need_go
