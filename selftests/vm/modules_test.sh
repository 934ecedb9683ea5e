#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module builds, without a warning, for every kernel of kernels.txt, or for
# those that KERNEL names. One that Debian has replaced since and the cache does
# not have is skipped.

set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
read -ra kernels <<<"${KERNEL-}"
[ ${#kernels[@]} != 0 ] || mapfile -t kernels < <("$here/kernel.sh" list)
failed=0 nr=0

echo "KTAP version 1"
echo "1..${#kernels[@]}"
for kernel in "${kernels[@]}"; do
	nr=$((nr + 1))
	if ! why=$("$here/kernel.sh" fetch "$kernel" 2>&1 >/dev/null); then
		echo "ok $nr linux_$kernel # SKIP ${why##*$'\n'}"
	elif "$here/module.sh" build "$kernel" >/dev/null; then
		echo "ok $nr linux_$kernel"
	else
		echo "not ok $nr linux_$kernel"
		failed=1
	fi
done
exit $failed
