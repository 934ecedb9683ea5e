#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How debug_kernel.sh builds linux: one that is quickly built, in a cache of its
# own.

set -uo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work PATH=$work/bin:$PATH
linux=$work/kfreeze/kernels/linux-source-6.12-1-1

mkdir -p "$work/bin" "$linux" "$work/kfreeze/apt"/{bookworm,trixie}
touch "$work/kfreeze/apt"/{bookworm,trixie}/updated
printf '#!/bin/sh\necho Version: 1-1\n' >"$work/bin/apt-cache"
chmod +x "$work/bin/apt-cache"
cat >"$linux/Makefile" <<'EOF'
allnoconfig:
	grep -vx '$(LACKS)' $(KCONFIG_ALLCONFIG) >$(O)/.config
bzImage: $(O)/$(NEEDS)
	mkdir -p $(O)/arch/x86/boot
	echo built >>$(O)/arch/x86/boot/bzImage
modules:
kernelrelease:
	@echo 6.12-test
modules_install:
	mkdir -p $(INSTALL_MOD_PATH)/lib/modules
EOF

ln -s "${linux##*/}" "${linux/6.12/6.1}"

# fetch_as NAME VARIABLE=VALUE...: as make check-debug calls it, by a make that
# tells where it is.
fetch_as() {
	printf 'all:\n\t@%s fetch %s\n' "$here/debug_kernel.sh" "$1" |
		env "${@:2}" make -w -f - 2>&1
}

fetch() { fetch_as kasan "$@"; }

# show NAME: the files of that name, of kernels that are ready.
show() {
	find "$work/kfreeze/kernels/kasan" -path '*.new' -prune -o \
		-type f -name "$1" -exec cat {} +
}

nr=0 failed=0
check() {
	nr=$((nr + 1))
	# shellcheck disable=SC2053 # what is wanted is a pattern
	if [[ $2 == $3 ]]; then
		echo "ok $nr $1"
	else
		echo "# saw '${2//$'\n'/$'\n'# }', wanted '$3'"
		echo "not ok $nr $1"
		failed=1
	fi
}

echo 'KTAP version 1'
echo 1..7
log=$(fetch LACKS=CONFIG_KASAN=y)
check option_that_linux_lacks_is_named "$log" '*not in .config: CONFIG_KASAN=y*'
log=$(fetch NEEDS=a_compiler)
check failure_names_the_log "$log" '*kasan: linux does not build: *.new/log*'
check failure_leaves_no_kernel "$(show release)" ''
fetch | sed 's/^/# /'
check goes_on_after_a_failure $? 0
check release_is_told_within_a_make "$(show release)" 6.12-test
fetch | sed 's/^/# /'
check is_built_once "$(show bzImage)" built
fetch_as kasan-6.1 "LACKS=$(head -n 1 "$here/debug-6.1.lacks")" | sed 's/^/# /'
check older_linux_does_without $? 0
exit $failed
