#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Make the disks of a test VM, and print one path per line: vda, vdb, ...
# They are sparse, cached and never written to: use them with snapshot=on.
# No feature is newer than the oldest kernel of kernels.txt.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=cache.sh
. "$here/cache.sh"

# disk NAME SIZE MKFS...
disk() {
	local path=$dir/$1 size=$2

	shift 2
	truncate -s "$size" "$path"
	"$@" "$path" >/dev/null
}

# tree_disk NAME MK...: read-only, made of a directory, and as large as it.
tree_disk() {
	local path=$dir/$1 tree

	shift
	tree=$(mktemp -d)
	echo >"$tree/readme"
	"$@" "$tree" "$path" >/dev/null
	rm -r "$tree"
}

make_iso9660() {
	genisoimage -quiet -R -o "$2" "$1"
}

make_disks() {
	local n

	for n in 1 2 3 4; do
		disk "$n-ext4" 256M mke2fs -q -t ext4 -L "ext4-$n" \
			-O ^orphan_file,^metadata_csum_seed
	done
	disk 5-xfs 512M mkfs.xfs -q -L xfs -m bigtime=0,inobtcount=0 \
		-i nrext64=0
	disk 6-btrfs 512M mkfs.btrfs -q -L btrfs
	disk 7-vfat 64M mkfs.vfat -n VFAT
	for n in 8 9; do
		disk "$n-jfs" 256M mkfs.jfs -q -L "jfs-$n"
	done
	disk a-gfs2 256M mkfs.gfs2 -O -q -p lock_nolock -j 1 -J 8 \
		-o format=1801
	disk b-exfat 64M mkfs.exfat -L exfat
	disk c-udf 64M mkudffs --label=udf
	disk d-ext2 64M mke2fs -q -t ext2 -L ext2
	disk e-f2fs 128M mkfs.f2fs -q -l f2fs
	disk f-nilfs2 256M mkfs.nilfs2 -q -L nilfs2
	tree_disk g-squashfs mksquashfs
	tree_disk h-iso9660 make_iso9660
}

key=$(sha256sum <"$here/disks.sh" | cut -c 1-12)
disks=$(cache_dir)/disks/$key
cache_lock disks
if [ ! -d "$disks" ]; then
	dir=$disks.new
	rm -rf "$dir"
	mkdir -p "$dir"
	PATH=$PATH:/usr/sbin:/sbin make_disks
	mv -T "$dir" "$disks"
fi
printf '%s\n' "$disks"/*
