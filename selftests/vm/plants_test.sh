#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The bugs of plant/ can still be planted. That they are found is for
# plant_test.py, which takes long.

set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
patches=("$here"/plant/*.patch)
failed=0 nr=0

echo "KTAP version 1"
echo "1..${#patches[@]}"
for patch in "${patches[@]}"; do
	nr=$((nr + 1))
	name=$(basename "$patch" .patch)
	if why=$(patch --dry-run -f -d "$here/../.." -p 1 <"$patch" 2>&1); then
		echo "ok $nr ${name}_can_be_planted"
	else
		echo "# ${why//$'\n'/$'\n'# }"
		echo "not ok $nr ${name}_can_be_planted"
		failed=1
	fi
done
exit $failed
