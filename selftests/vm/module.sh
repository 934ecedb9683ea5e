#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build kfreeze.ko for a kernel of kernels.txt, warnings being errors.
# Prints the path of the module. Each kernel has a copy of the sources under
# build/module, so that builds for several kernels do not meet. A PLANT is a
# bug, of those in plant/, which the tests are to find.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
top=${here%/*/*}
# shellcheck source=cache.sh
. "$here/cache.sh"

# A kernel is built by the compiler it was built by; where the machine runs
# another release of Debian, in a chroot with that compiler.
host_has() {
	local suite=$1 compiler=$2

	# shellcheck source=/dev/null
	[ "$(. /etc/os-release && echo "${VERSION_CODENAME-}")" = "$suite" ] &&
		command -v "$compiler" >/dev/null
}

# What the tools in linux-kbuild need.
kbuild_depends() {
	local kbuild

	kbuild=$(apt-cache pkgnames linux-kbuild- | tail -n 1)
	apt-cache depends --important "$kbuild" |
		awk '$1 == "Depends:" { print $2 }'
}

# chroot_fetch SUITE COMPILER: print the directory of the chroot.
chroot_fetch() {
	local suite=$1 compiler=$2 release=${1%-backports} dir include

	dir=$(cache_dir)/chroots/$release-$compiler
	cache_lock "chroot-${dir##*/}"
	if [ ! -d "$dir" ]; then
		cache_apt "$suite"
		include=$(kbuild_depends | paste -sd ,)
		say "$release: making a chroot with $compiler"
		rm -rf --one-file-system "$dir.new"
		mkdir -p "${dir%/*}"
		env -u APT_CONFIG mmdebstrap --quiet --variant=essential \
			--mode=root --keyring="$DEBIAN_KEYRING" \
			--aptopt='Acquire::Check-Valid-Until "false"' \
			--include="make,$compiler,kmod,$include" \
			"$release" "$dir.new" "$DEBIAN_MIRROR" >&2
		mv -T "$dir.new" "$dir"
	fi
	printf '%s\n' "$dir"
}

# make_in ROOT SOURCE KERNEL MAKE...: objtool of 7.x reads /proc. All mounts
# and processes are gone when make is. Where / is no mount, in a chroot, mounts
# cannot be made private: there they are taken back.
make_in() {
	local root=$1 source=$2 kernel=$3

	shift 3
	mkdir -p "$root/source" "$root/kernel"
	# shellcheck disable=SC2016 # expanded by the inner shell
	unshare --mount --propagation unchanged --pid --fork --kill-child sh -ec '
		root=$1 source=$2 kernel=$3
		shift 3
		mount --make-rprivate / 2>/dev/null ||
			trap "umount \$root/proc \$root/kernel \$root/source" EXIT
		mount --bind "$source" "$root/source"
		mount --bind "$kernel" "$root/kernel"
		mount -t proc proc "$root/proc"
		chroot "$root" "$@"' sh "$root" "$source" "$kernel" "$@"
}

copy_sources() {
	mkdir -p "$1"
	(cd "$top" && cp -a Makefile Kbuild kmod include "$1")
}

# module_make NAME BUILD KERNEL ROOT: ROOT is a chroot or empty.
module_make() {
	local name=$1 build=$2 kernel=$3 root=$4 headers

	headers=root/usr/src/linux-headers-$(cat "$kernel/release")
	set -- make --no-print-directory module \
		"CC=$("$here/kernel.sh" field "$name" compiler)"
	if [ -n "$root" ]; then
		make_in "$root" "$build" "$kernel" "$@" -C /source \
			"KDIR=/kernel/$headers"
	else
		"$@" -C "$build" "KDIR=$kernel/$headers"
	fi
}

# plant BUILD NAME
plant() {
	patch -s -d "$1" -p 1 --no-backup-if-mismatch \
		<"$here/plant/$2.patch" || die "$2: cannot be planted"
}

module_build() {
	local name=$1 planted=$2 kernel build log suite compiler root=

	kernel=$("$here/kernel.sh" fetch "$name")
	suite=$("$here/kernel.sh" field "$name" suite)
	compiler=$("$here/kernel.sh" field "$name" compiler)
	if ! host_has "${suite%-backports}" "$compiler"; then
		root=$(chroot_fetch "$suite" "$compiler")
	fi
	build=$top/build/module/$name-${kernel##*/}${planted:+-$planted}
	log=$build/make.log
	cache_lock "module-$name"
	copy_sources "$build"
	[ -z "$planted" ] || plant "$build" "$planted"
	if ! module_make "$name" "$build" "$kernel" "$root" >"$log" 2>&1; then
		cat "$log" >&2
		die "$name: kfreeze.ko does not build"
	fi
	if grep -E '(kmod|include)/.*warning:|modpost:' "$log" >&2; then
		rm -rf "$build" # or the next make has nothing to say
		die "$name: kfreeze.ko builds with warnings"
	fi
	printf '%s\n' "$build/kfreeze.ko"
}

case ${1-} in
build) module_build "${2?NAME is missing}" "${3-}" ;;
*) die "usage: module.sh build NAME [PLANT]" ;;
esac
