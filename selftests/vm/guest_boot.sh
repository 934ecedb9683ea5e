#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest_boot.sh KERNEL: print a directory of the cache with what the Debian guest
# needs of KERNEL, a directory of `kernel.sh fetch`; make it first if need be:
#   usr/lib/modules/RELEASE  modules the guest may want; depmod is yet to be run
#   initrd                   mounts the root disk, unpacks the payload onto it
# The payload is a tar archive which is the guest's second disk.
set -euo pipefail
# shellcheck source=cache.sh
. "$(dirname "$0")/cache.sh"

# What the initrd loads, and what udev, mount and modprobe may ask for later.
BOOT_MODULES="virtio_pci virtio_blk ext4 crc32c_generic"
GUEST_MODULES="virtio_console virtio_rng xfs btrfs vfat nls_cp437 nls_ascii
    nls_utf8 loop dm_mod dm_snapshot dm_delay dm_flakey md_mod raid1 nbd
    autofs4 overlay squashfs isofs fuse evdev configfs unix_diag netlink_diag
    vsock_loopback sd_mod virtio_scsi nvme ahci ata_piix dummy bonding"

[ $# = 1 ] || die "usage: guest_boot.sh KERNEL"
here=$(dirname "$0")
src=$1/root
release=$(cat "$1/release")
key=$(cat "$0" "$here/guest_init.sh" | sha256sum | cut -c1-12)
dir=$(cache_dir)/guest-boot/$(basename "$1")-$key

# Paths of these modules and all they need, in the order of loading. Not every
# kernel has them all.
module_files() {
    local name

    for name; do
        modprobe -d "$src" -S "$release" --show-depends "$name" 2>/dev/null |
            sed -n 's/^insmod \([^ ]*\).*/\1/p' || true
    done | awk '!seen[$0]++'
}

copy_modules() {
    local path dir=$1/usr/lib/modules/$release

    shift
    mkdir -p "$dir"
    module_files "$@" | while read -r path; do
        install -D -m 644 "$path" "$dir/${path#*/lib/modules/"$release"/}"
    done
    cp "$src/lib/modules/$release"/modules.{order,builtin,builtin.modinfo} "$dir"
}

unpack_module() {
    case $1 in
    *.xz) xz -dc "$1" ;;
    *.zst) zstd -dc "$1" ;;
    *) cat "$1" ;;
    esac
}

make_initrd() {
    local path nr=10 out=$1 work=$1/initrd.d

    shift
    mkdir -p "$work"/{bin,dev,proc,sys,root,modules}
    cp /bin/busybox "$work/bin/busybox"
    cp "$here/guest_init.sh" "$work/init"
    chmod 755 "$work/init"
    while read -r path; do
        unpack_module "$path" >"$work/modules/$nr.ko"
        nr=$((nr + 1))
    done < <(module_files "$@")
    (cd "$work" && find . | cpio --quiet -o -H newc -R 0:0) >"$out/initrd"
    rm -r "$work"
}

cache_lock guest-boot
if [ ! -d "$dir" ]; then
    rm -rf "$dir.new"
    mkdir -p "$dir.new"
    # shellcheck disable=SC2086 # lists of words
    {
        copy_modules "$dir.new" $BOOT_MODULES $GUEST_MODULES
        make_initrd "$dir.new" $BOOT_MODULES
    }
    mv "$dir.new" "$dir"
fi
echo "$dir"
