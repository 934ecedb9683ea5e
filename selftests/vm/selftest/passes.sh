#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Several passes. Tools need their path: busybox prefers its own.
echo "KTAP version 1"
echo "1..3"
for disk in vda:ext4 vde:xfs vdf:btrfs vdg:vfat; do
	mkdir -p "/mnt/${disk%:*}"
	mount -t "${disk#*:}" "/dev/${disk%:*}" "/mnt/${disk%:*}" || exit 1
	echo x >"/mnt/${disk%:*}/file" || exit 1
done
echo "ok 1 disks_are_there"
/usr/sbin/mke2fs -V 2>/dev/null && echo "ok 2 tool_runs"
[ "$(id -u)" = 0 ] && echo "ok 3 is_root"
