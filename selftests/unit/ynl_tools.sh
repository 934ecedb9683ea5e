#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel's own YNL tooling, out of Debian's linux-source.
#   ynl_tools.sh fetch			into the cache, once per version
#   ynl_tools.sh uapi SPEC HEADER	check SPEC, write the header it makes
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
tools_uapi() {
	local spec=$1 header=$2 tools tree

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
	(cd "$tree" && PYTHONDONTWRITEBYTECODE=1 timeout 60 \
		python3 "$tools/tools/net/ynl/ynl-gen-c.py" --mode uapi --header \
		--spec Documentation/netlink/specs/kfreeze.yaml -o kfreeze.h) ||
		exit 1
	cp "$tree/kfreeze.h" "$header"
}

case ${1-} in
fetch) tools_fetch ;;
uapi) tools_uapi "${2?SPEC is missing}" "${3?HEADER is missing}" ;;
*) die "usage: ynl_tools.sh fetch | uapi SPEC HEADER" ;;
esac
