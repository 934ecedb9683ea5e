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
for word in $($bb cat /proc/cmdline); do
    case $word in resume=*) swap=${word#resume=} ;; esac
done
if [ -n "${swap-}" ]; then
    # Goes on where a hibernated system stopped, or comes back.
    $bb mount -t sysfs sys /sys
    $bb cat "/sys/class/block/${swap#/dev/}/dev" >/sys/power/resume || true
    $bb umount /sys
fi
$bb mount -t ext4 /dev/vda /root
$bb tar -x -f /dev/vdb -C /root
$bb chroot /root systemd-sysusers
$bb umount /proc
$bb mount -o move /dev /root/dev
trap - EXIT
exec $bb switch_root /root /sbin/init
