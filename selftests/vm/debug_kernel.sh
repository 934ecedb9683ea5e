#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build a kernel that looks for bugs, once per configuration: debug.config and
# NAME.config, where NAME is kasan or kcsan; kasan-6.1 is the same of linux 6.1.
# Prints the same directory as kernel.sh does, which calls this. "cached" fails
# if it is not built; "source" prints the directory of linux itself.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=cache.sh
. "$here/cache.sh"

# Linux is not a part of what the calling make builds, nor as talkative.
unset MAKEFLAGS MAKELEVEL

COMPILER=gcc-12
# Of the kernel that NAME is; the other one is that of Debian 12.
LINUX=6.12
SUITE=trixie
case ${2-} in
*-6.1) LINUX=6.1 SUITE=bookworm ;;
esac
SOURCE=linux-source-$LINUX

usage() { die "usage: debug_kernel.sh source|fetch|cached|field NAME [FIELD]"; }

source_version() {
	apt-cache show --no-all-versions "$SOURCE" |
		awk '$1 == "Version:" { print $2 }'
}

# source_fetch VERSION: print the directory of the unpacked source.
source_fetch() {
	local dir work

	dir=$(cache_dir)/kernels/$SOURCE-$1
	cache_lock "$SOURCE"
	if [ ! -d "$dir" ]; then
		say "$SOURCE $1: downloading"
		work=$dir.new
		rm -rf "$work"
		mkdir -p "$work"
		(cd "$work" && apt-get download -qq "$SOURCE=$1" &&
			dpkg -x ./*.deb . &&
			tar -xf usr/src/*.tar.xz --strip-components=1) >&2 ||
			die "$SOURCE $1: cannot get it"
		rm -rf "$work"/*.deb "${work:?}"/usr/{src,share}
		mv -T "$work" "$dir"
	fi
	printf '%s\n' "$dir"
}

# wanted NAME: the options; debug-LINUX.lacks has those which came later.
wanted() {
	local lacks=$here/debug-$LINUX.lacks

	[ -e "$lacks" ] || lacks=/dev/null
	cat "$here/debug.config" "$here/${1%-*}.config" |
		grep '^CONFIG_' | grep -vxF -f "$lacks"
}

# configure NAME SOURCE BUILD: an option that cannot be had is an error.
configure() {
	local name=$1 source=$2 build=$3 missing

	wanted "$name" >"$build/wanted"
	make -s -C "$source" "O=$build" "CC=$COMPILER" \
		"KCONFIG_ALLCONFIG=$build/wanted" allnoconfig >&2
	missing=$(grep -v '=n$' "$build/wanted" |
		grep -vxF -f "$build/.config") || true
	[ -z "$missing" ] || die "$name: not in .config: $missing"
}

# Where kernel.sh's callers look for things.
arrange() {
	local source=$1 dir=$2 release

	release=$(make -s -C "$source" "O=$dir/build" kernelrelease)
	make -s -C "$source" "O=$dir/build" "INSTALL_MOD_PATH=$dir/root" \
		modules_install >&2
	mkdir -p "$dir/root/usr/src"
	ln -sfn ../../../build "$dir/root/usr/src/linux-headers-$release"
	ln -sf build/arch/x86/boot/bzImage "$dir/vmlinuz"
	printf '%s\n' "$release" >"$dir/release"
}

# A build that was interrupted is gone on with.
build() {
	local name=$1 source=$2 dir=$3

	mkdir -p "$dir.new/build"
	configure "$name" "$source" "$dir.new/build"
	say "$name: building linux, 15 to 60 minutes, log in $dir.new/log"
	# The races of others are not ours to report: the module is built later.
	nice -n 19 make -s -C "$source" "O=$dir.new/build" "CC=$COMPILER" \
		KCSAN_SANITIZE=n "-j$(nproc)" bzImage modules >"$dir.new/log" 2>&1 ||
		die "$name: linux does not build: $dir.new/log"
	arrange "$source" "$dir.new"
	mv -T "$dir.new" "$dir"
}

config_key() {
	wanted "$1" | sha256sum | cut -c 1-12
}

# The build of this configuration: a newer source is no reason for another.
cached() {
	find "$(cache_dir)/kernels/$1" -mindepth 1 -maxdepth 1 -type d \
		-name "*-$(config_key "$1")" 2>/dev/null | sort -V |
		tail -n 1 | grep .
}

fetch() {
	local name=$1 version dir source

	cache_lock "kernel-$name"
	if ! cached "$name"; then
		cache_apt "$SUITE"
		version=$(source_version)
		source=$(source_fetch "$version")
		dir=$(cache_dir)/kernels/$name/$version-$(config_key "$name")
		build "$name" "$source" "$dir"
		printf '%s\n' "$dir"
	fi
}

# The newest one that the cache has will do.
source_any() {
	local found

	found=$(find "$(cache_dir)/kernels" -mindepth 1 -maxdepth 1 -type d \
		-name "$SOURCE-*" ! -name '*.new' | sort -V | tail -n 1)
	if [ -n "$found" ]; then
		printf '%s\n' "$found"
	else
		cache_apt "$SUITE"
		source_fetch "$(source_version)"
	fi
}

case ${1-}.${2-} in
source.) ;;
*.kasan | *.kasan-6.1 | *.kcsan) ;;
*) usage ;;
esac
case $1.${3-} in
source.) source_any ;;
fetch.) fetch "$2" ;;
cached.) cached "$2" ;;
field.suite) echo bookworm ;; # whose compiler builds it
field.compiler) echo $COMPILER ;;
*) usage ;;
esac
