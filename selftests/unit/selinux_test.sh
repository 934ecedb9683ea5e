#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The SELinux policy module compiles. What it allows is not tried here.
echo 'KTAP version 1'
echo 1..1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cp "$(dirname "$(readlink -f "$0")")"/../../daemon/selinux/kfreeze.* "$work"
result='not ok'
if log=$(make -C "$work" -f /usr/share/selinux/devel/Makefile \
	MAKEFLAGS= kfreeze.pp 2>&1) && [ -s "$work/kfreeze.pp" ]; then
	result=ok
fi
[ "$result" = ok ] || echo "$log" | sed 's/^/# /'
echo "$result 1 policy_module_compiles"
[ "$result" = ok ]
