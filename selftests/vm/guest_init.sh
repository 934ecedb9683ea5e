#!/bin/busybox sh
# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0
# /init of the Debian guest: mount the root disk, put the payload on it, go on.
set -e
bb=/bin/busybox

trap '$bb echo "guest_init: failed"; $bb poweroff -f' EXIT
$bb mount -t proc proc /proc
$bb mount -t devtmpfs dev /dev
for module in /modules/*.ko; do
    # Some are for other processors (crc32c_intel): what is missed shows below.
    $bb insmod "$module" 2>/dev/null || true
done
until [ -b /dev/vdb ]; do
    $bb usleep 10000 # the disks are probed one after the other: vda is there
done
$bb mount -t ext4 /dev/vda /root
$bb tar -x -f /dev/vdb -C /root
$bb chroot /root systemd-sysusers
$bb umount /proc
$bb mount -o move /dev /root/dev
trap - EXIT
exec $bb switch_root /root /sbin/init
