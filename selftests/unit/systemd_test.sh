#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The agent's unit as systemd-analyze judges it: at most 1.0 of 10.
cd "$(dirname "$(readlink -f "$0")")/../../daemon/systemd" || exit 1
echo 'KTAP version 1'
echo 1..1
if report=$(systemd-analyze security --offline=yes --no-pager --threshold=10 \
	./kfreezed.service 2>&1); then
	result='ok'
else
	result='not ok'
fi
echo "$report" | sed -n -e 's/^✗/# &/p' -e 's/^→/# &/p'
echo "$result 1 exposure_is_at_most_1"
[ "$result" = 'ok' ]
