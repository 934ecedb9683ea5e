#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Claims success after more records than the log of the kernel holds.
echo "KTAP version 1"
echo "1..1"
text=$(printf '%0900d' 0)
for _ in $(seq 2500); do
	echo "<7>$text"
done >/dev/kmsg
echo "ok 1 all_is_well"
