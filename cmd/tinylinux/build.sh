#!/bin/bash
# build.sh [--force] OUT.qcow2: makes the Aerie Tiny Linux disk image from
# Debian packages. Needs apt, mtools, syslinux, cpio, binutils, e2fsprogs, qemu-utils;
# no root, no loop devices. Skips when its own files have not changed.
set -euo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
export SOURCE_DATE_EPOCH=1767225600 # the date of every file in the image

packages="busybox-static dropbear-bin e2fsprogs libc6 libcrypt1 libtomcrypt1 libtommath1
 zlib1g libgmp10 libext2fs2 libcom-err2 libblkid1 libuuid1"
# In this order; what they depend on comes before them by itself.
modules_root="virtio_pci virtio_blk virtio_net virtio_rng"
modules_scsi="virtio_scsi sd_mod ata_piix"
modules_boot="button evdev"
modules_late="virtio_balloon virtio_console isofs ata_piix sr_mod virtio_scsi sd_mod"

fail() { echo "tinylinux: $*" >&2; exit 1; }

force=
[ "${1:-}" = --force ] && { force=1; shift; }
[ $# = 1 ] || fail "usage: build.sh [--force] OUT.qcow2"
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")

inputs=$(cd "$here" && find build.sh initramfs rootfs -type f | sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)
if [ -z "$force" ] && [ -s "$out" ] && [ "$(cat "$out.inputs" 2>/dev/null)" = "$inputs" ]; then
	touch "$out" # make compares times
	exit 0
fi

for tool in apt-get dpkg-deb mformat mcopy syslinux cpio objcopy mke2fs debugfs qemu-img qemu-io; do
	command -v $tool >/dev/null || fail "$tool is missing; cmd/setup/packages.sh installs it"
done

work=$(mktemp -d)
trap 'rm -rf "$work" "$out.new"' EXIT
root=$work/root initramfs=$work/initramfs disk=$work/disk.raw
debs=$(dirname "$out")/tinylinux-debs
mkdir -p "$debs" "$root" "$initramfs"

# Packages: downloaded once, unpacked, never installed.
meta=linux-image-cloud-amd64
if ! apt-cache show $meta >/dev/null 2>&1; then
	[ "$(id -u)" = 0 ] || fail "apt does not know $meta: run apt-get update"
	apt-get update -qq
fi
kernel=$(apt-cache depends $meta | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p' | head -n 1)
[ -n "$kernel" ] || fail "apt knows no kernel for $meta"
fetch() {
	local list name file
	# shellcheck disable=SC2086
	list=$(cd "$work" && apt-get download --print-uris "$kernel" $packages) || return
	while read -r _ name _; do
		file=$debs/$name
		[ -s "$file" ] || (cd "$debs" && apt-get -qq -o APT::Sandbox::User=root download "${name%%_*}") || return
		dpkg-deb -x "$file" "$work/deb" || return
	done <<<"$list"
}
echo "tinylinux: $kernel and $(wc -w <<<"$packages") packages"
fetch || fail "the packages cannot be downloaded: is the package list fresh (apt-get update)?"
version=${kernel#linux-image-}
vmlinuz=$work/deb/boot/vmlinuz-$version
[ -s "$vmlinuz" ] || fail "$kernel holds no kernel"

# The root file system: one directory tree with bin, sbin and lib below usr.
cp -R "$here/rootfs/." "$root/"
mkdir -p "$root"/{proc,sys,dev,run,tmp,mnt,root,home/aerie,boot,lib64} "$root"/usr/{bin,sbin} \
	"$root"/usr/lib/{modules,x86_64-linux-gnu} "$root"/var/{lib/aerie,log,www} "$root/etc/dropbear"
for dir in bin sbin lib; do ln -s usr/$dir "$root/$dir"; done
ln -s ../run "$root/var/run"
ln -s ../proc/mounts "$root/etc/mtab"
: >"$root/etc/resolv.conf"
busybox=$(find "$work/deb" -path '*bin/busybox')
cp "$busybox" "$root/usr/bin/busybox"
for applet in $("$busybox" --list); do
	[ "$applet" = busybox ] || ln -s /usr/bin/busybox "$root/usr/bin/$applet"
done
for applet in init poweroff reboot halt; do ln -sf /usr/bin/busybox "$root/usr/sbin/$applet"; done
for program in usr/sbin/dropbear usr/bin/dropbearkey usr/bin/dbclient sbin/resize2fs sbin/mke2fs; do
	cp "$work/deb/$program" "$root/usr/${program#usr/}"
done
ln -s mke2fs "$root/usr/sbin/mkfs.ext4"
ln -s ../bin/dbclient "$root/usr/sbin/ssh"
cp "$work/deb/etc/mke2fs.conf" "$root/etc/"
libs=$root/usr/lib/x86_64-linux-gnu
cp -L "$(find "$work/deb" -name 'ld-linux-x86-64.so.2' | head -n 1)" "$root/lib64/ld-linux-x86-64.so.2"
for lib in c crypt tomcrypt tommath z gmp ext2fs com_err e2p blkid uuid; do
	cp -L "$(find "$work/deb" \( -name "lib$lib.so.[0-9]" -o -name "lib$lib.so.[0-9][0-9]" \) | head -n 1)" "$libs/"
done
for program in sbin/dropbear sbin/resize2fs sbin/mke2fs bin/dropbearkey; do
	"$root/lib64/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$libs" --list "$root/usr/$program" >"$work/ldd" ||
		fail "$program lacks a library"
	! grep '=> /' "$work/ldd" | grep -v "$root" || fail "$program lacks a library"
done

# Kernel modules, in the order in which insmod needs them.
modules=$work/deb/lib/modules/$version
declare -A known
add() {
	local name=${1//-/_} file dependency
	[ -z "${known[$name]:-}" ] || return 0
	file=$(find "$modules" -name "${name//_/[-_]}.ko" | head -n 1)
	[ -n "$file" ] || return 0 # built in
	known[$name]=1
	for dependency in $(grep -aoz 'depends=[^[:cntrl:]]*' "$file" | tr -d '\0' | sed 's/depends=//' | tr , ' '); do
		add "$dependency"
	done
	order+=("$file")
}
# place DIR LIST MODULE...: copies the modules and lists their order. Each list
# is complete but for what the list "order" has loaded already.
declare -A loaded
place() {
	local dir=$1 list=$2 module
	shift 2
	known=() order=()
	for module in "$@"; do add "$module"; done
	for module in "${order[@]}"; do
		[ -z "${loaded[$module]:-}" ] || continue
		# Without signature and type data a slow guest loads them in half the time.
		objcopy --strip-debug --remove-section=.BTF "$module" "$dir/$(basename "$module")"
		basename "$module" >>"$dir/$list"
		[ "$list" != order ] || loaded[$module]=1
	done
}
mkdir -p "$initramfs"/{bin,lib,proc,sys,dev,mnt}
# shellcheck disable=SC2086
{
	place "$initramfs/lib" order $modules_root
	place "$initramfs/lib" order.scsi $modules_scsi
	place "$root/usr/lib/modules" order.boot $modules_boot
	place "$root/usr/lib/modules" order.late $modules_late
}
cp "$busybox" "$initramfs/bin/"
cp "$here/initramfs/init" "$initramfs/init"
chmod 755 "$initramfs/init"
find "$initramfs" "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
(cd "$initramfs" && find . | sort | cpio --quiet --reproducible -o -H newc -R 0:0 | gzip -9n) >"$work/initrd"

# The disk: MBR, a FAT partition for syslinux and the kernel, ext4 for the rest.
mib=$((1024 * 1024))
boot_mib=$((($(stat -L -c %s "$vmlinuz") + $(stat -c %s "$work/initrd")) / mib + 2))
root_mib=60
truncate -s $(((1 + boot_mib + root_mib) * mib)) "$disk"
boot_sectors=$((boot_mib * 2048)) root_sectors=$((root_mib * 2048)) root_start=$(((1 + boot_mib) * 2048))
le32() { printf '\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24 & 255)); }
entry() { printf '%b' "\\x$1\\xfe\\xff\\xff\\x$2\\xfe\\xff\\xff$(le32 "$3")$(le32 "$4")"; }
put() { dd of="$disk" bs=1 seek="$1" conv=notrunc status=none; }
mbr=$(find /usr/lib/syslinux -name mbr.bin | head -n 1)
[ -n "$mbr" ] || fail "mbr.bin is missing; cmd/setup/packages.sh installs syslinux-common"
head -c 440 "$mbr" | put 0
{ entry 80 0e 2048 $boot_sectors; entry 00 83 $root_start $root_sectors; } | put 446
printf '\x55\xaa' | put 510

cat >"$work/syslinux.cfg" <<END
DEFAULT tiny
PROMPT 0
TIMEOUT 1
LABEL tiny
 KERNEL vmlinuz
 INITRD initrd
 APPEND console=ttyS0 console=tty0 quiet cryptomgr.notests no_timer_check initcall_blacklist=load_system_certificate_list,init_kprobe_trace
END
cp -L "$vmlinuz" "$work/vmlinuz"
touch -d "@$SOURCE_DATE_EPOCH" "$work"/{vmlinuz,initrd,syslinux.cfg}
export MTOOLS_SKIP_CHECK=1
mformat -i "$disk@@1M" -T $boot_sectors -h 16 -s 63 -H 2048 -N 41455249 -v AERIE ::
mcopy -m -i "$disk@@1M" "$work"/{vmlinuz,initrd,syslinux.cfg} ::/
syslinux --install --offset $mib "$disk"

chmod 4755 "$root/usr/bin/busybox" # it gives up root's rights itself, but for su and passwd
chmod 600 "$root/etc/shadow"
chmod 700 "$root/root" "$root/etc/dropbear" "$root/var/lib/aerie"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -t ext4 -b 4096 -O '^64bit' -J size=4 -m 0 -L aerie-tiny \
	-U 41455249-4145-4145-4145-414552494501 -d "$root" \
	-E "offset=$((root_start * 512)),root_owner=0:0,hash_seed=41455249-4145-4145-4145-414552494502,resize=$((64 * 1024 * 1024))" \
	"$disk" ${root_mib}M
# Owner and times, whoever builds it and whenever.
{
	echo /lost+found
	(cd "$root" && find . | sort | sed 's/^\.//; s/^$/\//')
} | while read -r path; do
	owner=0
	[[ $path != /home/aerie* ]] || owner=1000
	for field in "uid $owner" "gid $owner" "atime @$SOURCE_DATE_EPOCH" "ctime @$SOURCE_DATE_EPOCH" \
		"mtime @$SOURCE_DATE_EPOCH" "crtime @$SOURCE_DATE_EPOCH" "atime_extra 0" "ctime_extra 0" "mtime_extra 0" "crtime_extra 0"; do
		echo "set_inode_field $path $field"
	done
done >"$work/owner"
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f "$work/owner" "$disk?offset=$((root_start * 512))" >"$work/debugfs" 2>&1 ||
	fail "debugfs: $(tail -n 1 "$work/debugfs")"

# Compressed but for the boot partition: its kernel is compressed already, and
# the BIOS reads it in pieces, each of which would unpack a whole cluster again.
head -c $(((1 + boot_mib) * mib)) "$disk" >"$work/boot.raw"
dd if=/dev/zero of="$disk" bs=1M count=$((1 + boot_mib)) conv=notrunc status=none
qemu-img convert -c -O qcow2 -o compression_type=zstd "$disk" "$out.new"
qemu-io -f qcow2 -c "write -q -s $work/boot.raw 0 $(((1 + boot_mib) * mib))" "$out.new"
mv "$out.new" "$out"
echo "$inputs" >"$out.inputs"
echo "tinylinux: $out, $(($(stat -c %s "$out") / 1000000)) MB, $((1 + boot_mib + root_mib)) MiB virtual"
