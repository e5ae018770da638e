#!/bin/bash
# host.sh up|status: makes this machine a KVM host: starts libvirt where it is
# not running, with or without systemd, and lets QEMU's user open /dev/kvm.
# Says what it did, stops nothing, and may be run again at any time.
set -uo pipefail
PATH=$PATH:/usr/sbin:/sbin
uri=qemu:///system

say() { echo "host: $*"; }
fail() { echo "host: $*" >&2; exit 1; }

answers() { timeout 5 virsh -q -c $uri uri >/dev/null 2>&1; }

# kvm_rights: what is wrong with /dev/kvm for QEMU's user; nothing when all is
# well. With a /dev/kvm it cannot open, libvirt probes QEMU anew at each VM.
kvm_rights() {
	local user mode group
	[ -c /dev/kvm ] || return 0
	user=$(sed -n 's/^user *= *"\(.*\)"/\1/p' /etc/libvirt/qemu.conf 2>/dev/null)
	user=${user#+}
	user=${user:-libvirt-qemu}
	[ "$user" != root ] && [ "$user" != 0 ] && id "$user" >/dev/null 2>&1 || return 0
	read -r mode group <<<"$(stat -c '%a %G' /dev/kvm)"
	(((8#$mode & 06) == 06)) && return
	(((8#$mode & 060) == 060)) && [[ " $(id -nG "$user") " == *" $group "* ]] && return
	echo "$user may not open /dev/kvm ($mode, group $group)"
}

mend_kvm() {
	[ -n "$(kvm_rights)" ] || return 0
	if getent group kvm >/dev/null; then
		chgrp kvm /dev/kvm && chmod 660 /dev/kvm && usermod -aG kvm libvirt-qemu 2>/dev/null
	fi
	[ -z "$(kvm_rights)" ] || chmod 666 /dev/kvm
	[ -z "$(kvm_rights)" ] || fail "$(kvm_rights), and its rights cannot be changed"
	say "QEMU may use /dev/kvm now ($(stat -c '%a %U:%G' /dev/kvm))"
}

# start DAEMON: without systemd, unless it runs already.
start() {
	local pid
	pid=$(cat "/run/$1.pid" 2>/dev/null)
	[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$1" ] && return
	command -v "$1" >/dev/null || return 0
	# Nothing of the caller stays open in a daemon: no lock, no pipe.
	"$1" -d -p "/run/$1.pid" </dev/null >"$log" 2>&1 3>&- 4>&- ||
		fail "$1 does not start: $(tail -n 1 "$log")"
	say "started $1"
}

up() {
	command -v libvirtd virsh >/dev/null || fail "libvirt is not installed; cmd/setup/packages.sh run installs it"
	if answers && [ -z "$(kvm_rights)" ]; then return; fi
	[ "$(id -u)" = 0 ] || fail "starting libvirt needs root"
	mend_kvm
	answers && return
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if [ -d /run/systemd/system ]; then
		systemctl start virtlogd.socket libvirtd.service >"$log" 2>&1 || fail "libvirtd does not start: $(tail -n 1 "$log")"
		say "started libvirtd by systemd"
	else
		mkdir -p /run/libvirt
		start virtlogd
		start libvirtd
	fi
	for _ in {1..75}; do
		answers && return
		sleep 0.2
	done
	fail "libvirtd runs but does not answer: see its messages in syslog or the journal"
}

status() {
	if answers; then say "libvirt answers at $uri"; else say "libvirt does not answer at $uri"; fi
	if [ ! -c /dev/kvm ]; then
		say "no /dev/kvm: guests run without hardware help"
	elif [ -n "$(kvm_rights)" ]; then
		say "$(kvm_rights)"
	else
		say "/dev/kvm is usable by QEMU"
	fi
	answers
}

case ${1:-} in
up | status) "$1" ;;
*) fail "usage: host.sh up|status" ;;
esac
