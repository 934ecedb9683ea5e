#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# logrotate takes our snippet: the hooks' log is rotated, four of them are kept.
snippet=$(dirname "$(readlink -f "$0")")/../../daemon/systemd/kfreeze.logrotate
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
log=$work/qga-fsfreeze-hook.log
sed "s|^/var/log|$work|" "$snippet" >"$work/snippet"

rotate() {
	/usr/sbin/logrotate --force --state "$work/state" "$work/snippet" 2>&1 |
		sed 's/^/# /'
}

kept() {
	(cd "$work" && echo qga-fsfreeze-hook.log*)
}

failed=0
check() {
	if [ "$3" = "$4" ]; then
		echo "ok $1 $2"
	else
		echo "# saw '$3', wanted '$4'"
		echo "not ok $1 $2"
		failed=1
	fi
}

echo 'KTAP version 1'
echo 1..3
for text in one two three four five; do
	echo $text >>"$log"
	rotate
done
name=${log##*/}
check 1 four_are_kept "$(kept)" "$name.1.gz $name.2.gz $name.3.gz $name.4.gz"
check 2 the_last_is_the_first "$(zcat "$log.1.gz" "$log.4.gz" | tr '\n' ' ')" \
	'five two '
check 3 no_log_is_no_error "$(rotate)" ''
exit $failed
