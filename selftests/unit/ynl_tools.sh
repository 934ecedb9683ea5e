#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own YNL tooling, out of Debian's linux-source.
#   ynl_tools.sh fetch			into the cache, once per version
#   ynl_tools.sh uapi SPEC HEADER	check SPEC, write the header it makes
#   ynl_tools.sh kernel SPEC SOURCE	the policies and operations it makes of it
#   ynl_tools.sh user SPEC SOURCE	a client, compiled too
# Exit status 2: the tooling is not there.

set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
# shellcheck source=../vm/cache.sh
. "$here/../vm/cache.sh"

SUITE=trixie
PACKAGE=linux-source-6.12
PATHS='tools/net/ynl Documentation/netlink'

# The newest one in the cache, if there is one.
tools_newest() {
	mkdir -p "$(cache_dir)/ynl"
	find "$(cache_dir)/ynl" -mindepth 1 -maxdepth 1 -type d ! -name '*.new' \
		-printf '%T@ %p\n' | sort -n | sed 's/^[^ ]* //' | tail -n 1
}

tools_version() {
	apt-cache show --no-all-versions "$PACKAGE" |
		awk '$1 == "Version:" { print $2 }'
}

tools_unpack() {
	local dir=$1 version=$2 path paths=()

	for path in $PATHS; do
		paths+=("$PACKAGE/$path")
	done
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	say "$PACKAGE $version: downloading, for its YNL tooling"
	(cd "$dir.new" && apt-get download -qq "$PACKAGE=$version" &&
		dpkg --fsys-tarfile ./*.deb |
		tar -x --to-stdout "./usr/src/$PACKAGE.tar.xz" |
			tar -xJ --strip-components=1 "${paths[@]}" &&
		rm ./*.deb) || return 1
	mv -T "$dir.new" "$dir"
}

# What is in the cache will do when the mirror does not.
tools_fetch() {
	local dir version

	cache_lock ynl
	cache_apt "$SUITE"
	version=$(tools_version)
	dir=$(cache_dir)/ynl/$version
	[ -d "$dir" ] || tools_unpack "$dir" "$version" || [ -n "$(tools_newest)" ] ||
		die "$PACKAGE $version: cannot get it"
}

# The generator finds the schemas, and the top of the kernel's source, by
# their place relative to the spec.
tools_make() {
	local mode=$1 spec=$2 made=$3 tools tree

	tools=$(tools_newest)
	if [ -z "$tools" ]; then
		echo "no YNL tooling in the cache: selftests/unit/ynl_tools.sh fetch"
		exit 2
	fi
	if ! python3 -c 'import yaml, jsonschema' 2>/dev/null; then
		echo "YNL needs python3-yaml and python3-jsonschema"
		exit 2
	fi
	tree=$(mktemp -d)
	# shellcheck disable=SC2064 # expanded now
	trap "rm -rf '$tree'" EXIT
	mkdir -p "$tree/Documentation/netlink/specs"
	: >"$tree/MAINTAINERS"
	cp "$tools/Documentation/netlink"/*.yaml "$tree/Documentation/netlink"
	cp "$spec" "$tree/Documentation/netlink/specs/kfreeze.yaml"
	tools=$tools/tools/net/ynl
	(cd "$tree" && generate "$tools" "$mode") || exit 1
	if [ "$mode" = user ]; then
		gcc -fsyntax-only -Wall -Werror -I"$tools/lib" -I"$tree" \
			-I"$here/../../include/uapi" "$tree/kfreeze.c" || exit 1
	fi
	if [ "$mode" = uapi ]; then
		cp "$tree/kfreeze.h" "$made"
	else
		cp "$tree/kfreeze.c" "$made"
	fi
}

# generate TOOLS MODE: kfreeze.h, and kfreeze.c which includes it.
generate() {
	local run="$1/ynl-gen-c.py --mode $2"

	run="$run --spec Documentation/netlink/specs/kfreeze.yaml"
	export PYTHONDONTWRITEBYTECODE=1
	# shellcheck disable=SC2086 # a list of words
	timeout 60 python3 $run --header -o kfreeze.h &&
		timeout 60 python3 $run --source -o kfreeze.c
}

case ${1-} in
fetch) tools_fetch ;;
uapi | kernel | user)
	tools_make "$1" "${2?SPEC is missing}" "${3?FILE is missing}"
	;;
*) die "usage: ynl_tools.sh fetch | uapi|kernel|user SPEC FILE" ;;
esac
