#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Claims success and leaves a frozen filesystem with a blocked writer.
echo "KTAP version 1"
echo "1..1"
mkdir -p /mnt/frozen
mount -t ext4 /dev/vdb /mnt/frozen && fsfreeze --freeze /mnt/frozen || exit 1
echo x >/mnt/frozen/file &
echo "ok 1 it_is_frozen"
