#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fetch a Debian kernel of kernels.txt: image, modules and headers.
# Prints the directory: release (what uname -r will say), vmlinuz, and root/
# as the packages unpack it.

set -euo pipefail
# shellcheck source=cache.sh
. "$(dirname "$0")/cache.sh"

usage() { die "usage: kernel.sh list | field NAME FIELD | fetch NAME"; }

kernel_list() {
	awk '!/^#/ { print $1 }' "$(dirname "$0")/kernels.txt"
}

# kernel_field NAME suite|compiler|flavour
kernel_field() {
	local column

	case $2 in
	suite) column=2 ;;
	compiler) column=3 ;;
	flavour) column=4 ;;
	*) usage ;;
	esac
	awk -v name="$1" -v column=$column '
		$1 == name { print $column; found = 1 }
		END { exit !found }' "$(dirname "$0")/kernels.txt" ||
		die "$1: not in kernels.txt"
}

# kernel_packages FLAVOUR: all packages of the kernel itself; what else they
# depend on is not needed.
# 7.x splits the image into linux-base, linux-binary and linux-modules.
kernel_packages() {
	local without=()
	local kind

	for kind in recommends suggests conflicts breaks replaces enhances; do
		without+=("--no-$kind")
	done
	apt-cache depends --recurse "${without[@]}" \
		"linux-image-$1" "linux-headers-$1" |
		grep -E '^linux-(image|base|binary|modules|headers|kbuild)-[0-9]' |
		grep -v -e '-unsigned$' | sort -u
}

# kernel_version FLAVOUR
kernel_version() {
	apt-cache show --no-all-versions "linux-image-$1" |
		awk '$1 == "Version:" { print $2 }'
}

# kernel_unpack DIR VERSION FLAVOUR: under a temporary name: a directory that
# has its name is complete.
kernel_unpack() {
	local dir=$1 version=$2 deb packages release

	rm -rf "$dir.new"
	mkdir -p "$dir.new/root"
	mapfile -t packages < <(kernel_packages "$3")
	say "linux $version: downloading ${packages[*]}"
	(cd "$dir.new" && apt-get download -qq "${packages[@]}") || return 1
	for deb in "$dir.new"/*.deb; do
		dpkg -x "$deb" "$dir.new/root"
		rm "$deb"
	done
	release=$(printf '%s\n' "${packages[@]}" |
		sed -n 's/^linux-headers-\(.*-amd64\)$/\1/p')
	printf '%s\n' "$release" >"$dir.new/release"
	kernel_arrange "$dir.new" "$release"
	mv -T "$dir.new" "$dir"
}

# Where vmlinuz and the modules are differs; the headers name themselves by
# absolute path. The image brings no modules.dep.
kernel_arrange() {
	local root=$1/root release=$2 modules

	if [ -d "$root/usr/lib/modules" ] && [ ! -d "$root/lib" ]; then
		ln -s usr/lib "$root/lib"
	fi
	modules=$root/lib/modules/$release
	if [ -e "$modules/vmlinuz" ]; then
		ln -s "root/lib/modules/$release/vmlinuz" "$1/vmlinuz"
	else
		ln -s "root/boot/vmlinuz-$release" "$1/vmlinuz"
	fi
	depmod -b "$root" "$release"
	# shellcheck disable=SC2016 # the dollar signs are for make
	sed -i 's,/usr/src/,$(realpath $(dir $(firstword $(MAKEFILE_LIST)))..)/,' \
		"$root/usr/src/linux-headers-$release/Makefile"
}

# Suites move on, and mirrors fail: then what the cache has will do.
kernel_fetch() {
	local name=$1 suite flavour version dir

	suite=$(kernel_field "$name" suite)
	flavour=$(kernel_field "$name" flavour)
	cache_lock "kernel-$name"
	cache_apt "$suite"
	version=$(kernel_version "$flavour")
	dir=$(cache_dir)/kernels/$name
	mkdir -p "$dir"
	case $version in
	"${name%%-*}".*)
		if [ -d "$dir/$version" ] || kernel_unpack \
			"$dir/$version" "$version" "$flavour"; then
			printf '%s\n' "$dir/$version"
			return 0
		fi
		;;
	esac
	kernel_newest "$dir" ||
		die "$name: cannot get it: $suite has linux $version"
	say "$name: using the cached one: $suite has linux $version"
}

# The most recently unpacked one.
kernel_newest() {
	find "$1" -mindepth 1 -maxdepth 1 -type d ! -name '*.new' \
		-printf '%T@ %p\n' | sort -n | sed 's/^[^ ]* //' | tail -n 1 |
		grep .
}

case ${2-} in
kasan | kasan-6.1 | kcsan) exec "$(dirname "$0")/debug_kernel.sh" "$@" ;;
esac
case ${1-} in
list) kernel_list ;;
field) kernel_field "${2-}" "${3-}" ;;
fetch) kernel_fetch "${2?NAME is missing}" ;;
*) usage ;;
esac
