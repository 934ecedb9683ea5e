#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make lint: style and static analysis. What it cannot run is no success.

set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1
failed=0 missing=0
# A trace header is written in macros that clang-format does not know.
mapfile -t C_FILES < <(git ls-files '*.c' '*.h' ':!kmod/trace.h')
mapfile -t KERNEL_FILES < <(git ls-files 'kmod/*.[ch]' 'include/*.h')
mapfile -t SHELL_FILES < <(git ls-files '*.sh' .ci/run)

# step NAME COMMAND...: run it, show its output only if it fails
step() {
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then
		printf 'ok      %s\n' "$name"
	else
		printf '%s\nFAILED  %s\n' "$out" "$name"
		failed=1
	fi
}

lacks() {
	printf 'MISSING %s\n' "$1"
	missing=1
}

have() {
	command -v "$1" >/dev/null && return
	lacks "$1: apt-get install ${2-$1}"
	return 1
}

# includes FILE: the headers of ours that it includes, without .h
includes() {
	sed -n 's/^#include "\(.*\)\.h"$/\1/p' "$1" | xargs
}

# Who may include whom in kmod/: an arrow never points back.
kmod_may_include() {
	case $1 in
	main) echo "netlink notifier session param freeze job set watchdog version" ;;
	netlink) echo "request session param version" ;;
	request) echo "set" ;;
	notifier) echo "session" ;;
	session) echo "cycle" ;;
	cycle) echo "param freeze thaw set watchdog" ;;
	freeze) echo "flush expedite thaw set trace" ;;
	thaw) echo "expedite set trace" ;;
	expedite) echo "set" ;;
	set | trace) echo "target" ;;
	target) echo "foreign job" ;;
	*) echo "" ;;
	esac
}

check_kmod_includes() {
	local file own included bad=0

	for file in kmod/*.[ch]; do
		own=$(basename "${file%.*}")
		for included in $(includes "$file"); do
			[ "$included" = "$own" ] && continue
			case " $(kmod_may_include "$own") " in
			*" $included "*) ;;
			*) echo "$file: may not include $included.h"; bad=1 ;;
			esac
		done
	done
	return $bad
}

# The two roles of the daemon share only what both may know.
AGENT='agent|channel|qga[a-z_]*|monitor_(client|pending|process|queue|retry)|kfreezed'
MONITOR='monitor|loss|monitor_(admin|link)|query_[a-z_]*|mounts[a-z_]*|stacking[a-z_]*|hook[a-z_]*|freezer[a-z_]*|cycle|report|kfreeze_monitor'
check_roles() {
	local file bad=0

	for file in daemon/*.[ch]; do
		case $(basename "${file%.*}") in
		agent | channel* | qga* | monitor_client | monitor_pending | monitor_process | monitor_queue | monitor_retry | kfreezed)
			grep -HnE "^#include \"($MONITOR)\.h\"" "$file" |
				grep -v '"report.h"' && bad=1 ;;
		monitor | monitor_admin | monitor_link | query_* | mounts* | stacking* | hook* | freezer* | cycle | kfreeze_monitor)
			grep -HnE "^#include \"($AGENT)\.h\"" "$file" && bad=1 ;;
		esac
	done
	[ $bad = 0 ]
}

# library PATTERN FILES...: the only files that may include it
library() {
	local pattern=$1 allowed

	shift
	allowed=$(printf '|%s' "$@")
	! grep -lE "^#include <$pattern" daemon/*.[ch] |
		grep -vE "^daemon/(${allowed#|})\.[ch]$"
}

check_libraries() {
	local bad=0

	library 'json-c/' 'qga[a-z_]*' kfreezectl || bad=1
	library 'netlink/' freezer_kmod || bad=1
	library 'libmount' 'mounts[a-z_]*' || bad=1
	library '(cap-ng|seccomp)' 'privdrop[a-z_]*' || bad=1
	library 'systemd/' agent monitor monitor_link monitor_admin 'channel[a-z_]*' log cycle 'hook[a-z_]*' \
		'freezer[a-z_]*' query_process status kfreezed kfreeze_monitor monitor_client || bad=1
	return $bad
}

# What kmod/ and daemon/ share is in include/; generic netlink is one file's.
check_boundaries() {
	! grep -nE '^#include ".*(kmod|daemon)/' kmod/*.[ch] daemon/*.[ch] &&
		! grep -lE '^#include <net/genetlink.h>' kmod/*.[ch] |
		grep -v '^kmod/netlink.c$' &&
		! grep -nE '\b(system|popen|sprintf|strtok|recv)\(' \
			daemon/*.c
}

check_version() {
	local dkms file version bad=0

	dkms=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"$/\1/p' dkms.conf)
	for file in kmod/version.h daemon/version.h; do
		version=$(sed -n 's/^#define [A-Z_]*VERSION "\(.*\)"$/\1/p' "$file")
		[ -n "$version" ] && [ "$dkms" = "$version" ] && continue
		echo "dkms.conf says $dkms, $file says $version"
		bad=1
	done
	return $bad
}

# DKMS builds for what is tested, not for what it cannot be built for.
check_dkms_kernels() {
	local kernels kernel bad=0

	kernels=$(sed -n 's/^BUILD_EXCLUSIVE_KERNEL="\(.*\)"$/\1/p' dkms.conf)
	for kernel in $(selftests/vm/kernel.sh list) 5.15 6.6 6.19 7.0; do
		[[ ${kernel%%-*}. =~ $kernels ]] && continue
		echo "dkms.conf does not build for $kernel"
		bad=1
	done
	for kernel in 5.4 5.11 5.100 6.0 6.2 6.5 6.20 7.4 7.10; do
		[[ $kernel. =~ $kernels ]] || continue
		echo "dkms.conf builds for $kernel"
		bad=1
	done
	return $bad
}

check_format() {
	clang-format --dry-run -Werror "${C_FILES[@]}"
}

# The kernel's own scripts: of $LINUX, or of what check-debug builds.
find_linux() {
	local found=${LINUX:-$(selftests/vm/debug_kernel.sh source)}

	[ -e "$found/scripts/checkpatch.pl" ] && echo "$found"
}

check_patch() {
	perl "$1/scripts/checkpatch.pl" --no-tree --strict -f --terse --max-line-length=100 \
		--ignore LONG_LINE_STRING,OPEN_ENDED_LINE,MACRO_ARG_REUSE \
		--ignore OPEN_BRACE,PARENTHESIS_ALIGNMENT,MACRO_ARG_UNUSED \
		"${KERNEL_FILES[@]}"
}

# sparse_make KERNEL BUILD: what sparse finds in kmod/. It sees what is compiled.
sparse_make() {
	local kernel=$1 build=$2

	make -C "$build" module CC=gcc-12 C=1 CHECK=sparse \
		KDIR="$kernel/root/usr/src/linux-headers-$(cat "$kernel/release")" \
		>"$build/log" 2>&1 || { cat "$build/log"; return; }
	grep -E 'kmod/.*(warning|error):' "$build/log"
}

# 6.12 and later are not for the compiler of Debian 12, nor 7.x for its sparse.
# That it finds what is planted then tells that it was run.
check_sparse() {
	local kernel build=build/lint/$1

	kernel=$(selftests/vm/kernel.sh fetch "$1") || return 1
	rm -rf "$build"
	mkdir -p "$build" && cp -a Kbuild Makefile kmod include "$build" || return 1
	find "$build" -name '*.o' -delete
	! sparse_make "$kernel" "$build" || return 1
	echo 'void *kfreeze_planted = 0;' >>"$build/kmod/job.c"
	sparse_make "$kernel" "$build" |
		grep 'integer as NULL pointer' >/dev/null && return
	echo "sparse does not find what it must"
	return 1
}

# semantic_patch FILE DIR: as the kernel's coccicheck, but for those that need a
# compiler of OCaml.
semantic_patch() {
	local options

	grep -q '^virtual report' "$1" && ! grep -q ocaml "$1" || return 0
	options=$(sed -n 's,^// Options: *,,p' "$1")
	# shellcheck disable=SC2086 # a list of words
	spatch -D report --very-quiet --cocci-file "$1" $options --dir "$2" \
		2>/dev/null && return
	echo "$1: spatch failed"
}
export -f semantic_patch

# Again only when something has changed: it takes a while. That something planted
# is found tells that spatch was run.
check_cocci() {
	local found clean planted=build/lint/planted

	clean=build/lint/cocci-$(cat kmod/*.[ch] "$0" | sha256sum | cut -c 1-12)
	[ -e "$clean" ] && return
	mkdir -p $planted || return 1
	echo 'void f(void *p) { if (p) kfree(p); }' >$planted/planted.c
	if ! semantic_patch "$1/scripts/coccinelle/free/ifnullfree.cocci" \
		$planted | grep 'planted.c.*WARNING' >/dev/null; then
		echo "spatch does not find what it must"
		return 1
	fi
	# shellcheck disable=SC2016 # expanded by the inner shell
	found=$(find "$1/scripts/coccinelle" -name '*.cocci' -print0 |
		xargs -0 -n 1 -P "$(nproc)" bash -c 'semantic_patch "$1" kmod' bash)
	echo "$found"
	[ -z "$found" ] && : >"$clean"
}

# What a header of kmod/ declares, its .c file documents.
check_kernel_doc() {
	local kernel name names bad=0

	kernel=$(selftests/vm/kernel.sh fetch 6.1) || return 1
	mapfile -t names < <(sed -n \
		's/^[a-z][^(]*[ *]\(kfreeze_[a-z0-9_]*\)(.*/\1/p' kmod/*.h)
	for name in "${names[@]}"; do
		grep -qE "^ \* $name - " kmod/*.c kmod/*.h && continue
		echo "$name: no kernel-doc"
		bad=1
	done
	perl "$kernel"/root/usr/lib/linux-kbuild-*/scripts/kernel-doc \
		-Werror -none "${KERNEL_FILES[@]}" && return $bad
}

step "include directions of kmod/" check_kmod_includes
step "roles of daemon/" check_roles
step "libraries have one place" check_libraries
step "boundaries" check_boundaries
step "one version" check_version
step "kernels of dkms.conf" check_dkms_kernels
have clang-format && step clang-format check_format
have shellcheck && step shellcheck shellcheck -x -P SCRIPTDIR "${SHELL_FILES[@]}"
if have sparse; then
	for kernel in 5.10 6.1; do
		step "sparse, linux $kernel" check_sparse $kernel
	done
fi
step kernel-doc check_kernel_doc
if linux=$(find_linux); then
	step checkpatch check_patch "$linux"
	have spatch coccinelle && step coccicheck check_cocci "$linux"
else
	lacks "checkpatch, coccicheck: the source of linux: give LINUX="
fi
if [ $failed != 0 ]; then
	echo "lint: FAILED"
	exit 1
fi
if [ $missing != 0 ]; then
	echo "lint: incomplete"
	exit 1
fi
echo "lint: clean"
