#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The agent's unit as systemd-analyze judges it: at most 1.0 of 10. And as the
# manual changes it for other channels: systemd has no complaint.
cd "$(dirname "$(readlink -f "$0")")/../../daemon/systemd" || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
status=0

# verdict NUMBER NAME STATUS
verdict() {
	[ "$3" = 0 ] && echo "ok $1 $2" && return
	echo "not ok $1 $2"
	status=1
}

# The N-th example of the section on other channels.
example() {
	sed -n '/^\.SH OTHER CHANNELS/,/^\.SH LOG/p' ../man/kfreezed.8 |
		awk -v n="$1" '/^\.fi/ {on = 0} on {print} /^\.nf/ {on = ++nr == n}' |
		sed 's/\\e/\\/'
}

# with_drop_in N: programs that are not installed here are no matter.
with_drop_in() {
	units=$work/$1
	mkdir -p "$units/kfreezed.service.d"
	cp kfreeze-monitor.* "$units"
	example 1 | sed -e "s|/lib/systemd/system|$PWD|" \
		-e "s|/etc/systemd/system|$units|" | sh || return 1
	grep -q dev-virtio "$units/kfreezed.service" && return 1
	sed -i 's|=/usr/sbin/[a-z-]*|=/bin/true|' "$units"/*.service
	example "$1" >"$units/kfreezed.service.d/channel.conf"
	grep -q '^WantedBy=' "$units/kfreezed.service.d/channel.conf" || return 1
	said=$(SYSTEMD_UNIT_PATH=$units: systemd-analyze verify --man=no \
		"$units/kfreezed.service" 2>&1) || return 1
	echo "$said" | grep kfreezed | sed 's/^/# /'
	! echo "$said" | grep -q kfreezed
}

echo 'KTAP version 1'
echo 1..3
report=$(systemd-analyze security --offline=yes --no-pager --threshold=10 \
	./kfreezed.service 2>&1)
result=$?
echo "$report" | sed -n -e 's/^✗/# &/p' -e 's/^→/# &/p'
verdict 1 exposure_is_at_most_1 $result
with_drop_in 2
verdict 2 manual_on_isa_serial $?
with_drop_in 3
verdict 3 manual_on_vsock_listen $?
exit $status
