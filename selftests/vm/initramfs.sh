#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# initramfs.sh KERNEL OUT FILE=DEST...
# Make an initramfs for the kernel in the directory KERNEL: busybox, modules,
# and each FILE of the host under the absolute path DEST, with the shared
# libraries it needs. Two archives in a row: the first is cached.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=cache.sh
. "$here/cache.sh"

# Loaded by init, in this order; the others by the kernel when it needs them.
LOADED='virtio_pci virtio_blk virtio_console ext4 loop'
ON_DEMAND='xfs btrfs jfs gfs2 vfat nls_cp437 nls_iso8859-1 nls_ascii nls_utf8
	exfat udf f2fs nilfs2 squashfs isofs
	nbd overlay fuse dm-mod dm-delay dm-flakey dm-snapshot
	crc32_generic crc32c_generic xxhash_generic blake2b_generic sha256_generic'

# module_files ROOT RELEASE MODULE...: the files to load, in order. What is
# built in or absent in this kernel is left out.
module_files() {
	local root=$1 release=$2 module

	shift 2
	for module; do
		modprobe -d "$root" -S "$release" --show-depends "$module" \
			2>/dev/null | sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!seen[$0]++'
}

# copy_modules ROOT RELEASE TREE: decompressed, for busybox to load.
copy_modules() {
	local root=$1 release=$2 tree=$3 file to
	local modules=lib/modules/$release

	mkdir -p "$tree/usr/$modules"
	cp "$root/$modules"/modules.{order,builtin*} "$tree/usr/$modules"
	rm -f "$tree/usr/$modules"/*.bin
	# shellcheck disable=SC2086 # lists of words
	module_files "$root" "$release" $LOADED $ON_DEMAND |
		while read -r file; do
			to=$tree/usr/lib${file#"$root/lib"}
			to=${to%.xz}
			mkdir -p "${to%/*}"
			case $file in
			*.xz) xz -dc "$file" >"$to" ;;
			*) cp "$file" "$to" ;;
			esac
		done
	depmod -b "$tree/usr" "$release"
	# shellcheck disable=SC2086 # a list of words
	module_files "$tree/usr" "$release" $LOADED |
		sed "s,^$tree/usr,," >"$tree/modules"
}

# Merged as Debian's: a later archive must not meet a symlink as a directory.
make_tree() {
	local tree=$1 applet dir

	mkdir -p "$tree"/{etc,proc,sys,dev,run,tmp,mnt,root,var/log} \
		"$tree"/usr/{bin,lib,lib64}
	for dir in bin lib lib64; do
		ln -s "usr/$dir" "$tree/$dir"
	done
	ln -s usr/bin "$tree/sbin"
	ln -s bin "$tree/usr/sbin"
	ln -s ../run "$tree/var/run"
	cp "$(command -v busybox)" "$tree/usr/bin/busybox"
	for applet in $(busybox --list); do
		ln -s busybox "$tree/usr/bin/$applet" 2>/dev/null || true
	done
	cat >"$tree/etc/passwd" <<-EOF_PASSWD
		root:x:0:0::/root:/bin/sh
		kfreezed:x:990:990::/:/bin/false
		nobody:x:65534:65534::/:/bin/false
	EOF_PASSWD
	cat >"$tree/etc/group" <<-EOF_GROUP
		root:x:0:
		kfreezed:x:990:
		nogroup:x:65534:
	EOF_GROUP
}

archive() {
	(cd "$1" && find . -mindepth 1 | sort |
		cpio --quiet -o -H newc -R 0:0 | gzip -n -1)
}

# base_fetch KERNEL: print the path of the first archive.
base_fetch() {
	local kernel=$1 key base work

	key=$(cat "$here/initramfs.sh" "$(command -v busybox)" |
		sha256sum | cut -c 1-12)
	base=$kernel/initramfs-$key.gz
	cache_lock "initramfs-$(basename "$kernel")"
	if [ ! -e "$base" ]; then
		work=$(mktemp -d "$(cache_dir)/initramfs.XXXXXX")
		# shellcheck disable=SC2064 # expanded now
		trap "rm -rf '$work'" EXIT
		rm -f "$kernel"/initramfs-*.gz
		make_tree "$work"
		copy_modules "$kernel/root" "$(cat "$kernel/release")" "$work"
		archive "$work" >"$base.new"
		mv "$base.new" "$base"
	fi
	printf '%s\n' "$base"
}

# The dynamic linker and the libraries of a program; of other files, none.
libraries() {
	ldd "$1" 2>/dev/null | grep -o '/[^ )]*' || true
}

# Where a path really is in the tree of make_tree.
merged() {
	case $1 in
	/sbin/* | /usr/sbin/*) printf '/usr/bin/%s\n' "${1#*/sbin/}" ;;
	/bin/* | /lib/* | /lib64/*) printf '/usr%s\n' "$1" ;;
	*) printf '%s\n' "$1" ;;
	esac
}

add_file() {
	local file=$1 dest=$2 tree=$3 lib

	install -D "$file" "$tree$(merged "$dest")"
	for lib in $(libraries "$file"); do
		install -D "$lib" "$tree$(merged "$lib")"
	done
}

main() {
	local kernel=$1 out=$2 base tree pair

	shift 2
	base=$(base_fetch "$kernel")
	tree=$(mktemp -d "$(cache_dir)/initramfs.XXXXXX")
	# shellcheck disable=SC2064 # expanded now
	trap "rm -rf '$tree'" EXIT
	for pair; do
		add_file "${pair%%=*}" "${pair#*=}" "$tree"
	done
	{ cat "$base" && archive "$tree"; } >"$out"
}

[ $# -ge 2 ] || die "usage: initramfs.sh KERNEL OUT FILE=DEST..."
main "$@"
