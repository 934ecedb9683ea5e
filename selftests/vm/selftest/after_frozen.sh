#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Must find the disk of leaves_frozen as if nothing had happened.
echo "KTAP version 1"
echo "1..1"
mkdir -p /mnt/again
mount -t ext4 /dev/vdb /mnt/again && echo x >/mnt/again/file &&
	echo "ok 1 writable_again"
