#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The last program on a debug kernel: did it find what it reports to nobody,
# and has it been looking to the end? Prints KTAP.

KMEMLEAK=/sys/kernel/debug/kmemleak
# A younger object may be on its way into the structure that will refer to it.
KMEMLEAK_AGE=6
KCSAN=/sys/kernel/debug/kcsan

echo "KTAP version 1"
failed=0

report() {
	if [ "$2" = 0 ]; then
		echo "ok $1 $3"
	else
		echo "not ok $1 $3"
		failed=1
	fi
}

kmemleak_is_on() {
	! grep -qw kmemleak=off /proc/cmdline
}

# One scan learns the objects' checksums, another one finds those that did not
# change and that nothing refers to.
no_leak() {
	sleep $KMEMLEAK_AGE
	echo scan >$KMEMLEAK && echo scan >$KMEMLEAK || return 1
	leaks=$(cat $KMEMLEAK) || return 1
	[ -z "$leaks" ] && return 0
	echo "$leaks" | sed 's/^/# /'
	return 1
}

# It stops for good at its first report.
lockdep_watches() {
	grep -q 'debug_locks: *1$' /proc/lockdep_stats
}

# What races with nobody is no race.
cpus_are_two() {
	[ "$(grep -c '^processor' /proc/cpuinfo)" = 2 ]
}

kcsan_watches() {
	sed 's/^/# /' $KCSAN
	grep -q '^enabled: 1' $KCSAN && ! grep -q '^setup_watchpoints: 0$' $KCSAN
}

if [ -e $KCSAN ] || ! kmemleak_is_on; then echo "1..2"; else echo "1..3"; fi
cpus_are_two
report 1 $? both_processors_are_online
if [ -e $KCSAN ]; then
	kcsan_watches
	report 2 $? kcsan_watched_to_the_end
	exit $failed
fi
lockdep_watches
report 2 $? lockdep_watched_to_the_end
if kmemleak_is_on; then
	no_leak
	report 3 $? nothing_leaked
fi
exit $failed
