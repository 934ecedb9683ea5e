# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The cache: where it is, who may write to it, and Debian's package indices.
# To be sourced. What is downloaded is keyed by version and never modified.

: "${DEBIAN_MIRROR:=http://deb.debian.org/debian}"
: "${DEBIAN_SECURITY_MIRROR:=http://deb.debian.org/debian-security}"
: "${DEBIAN_KEYRING:=/usr/share/keyrings/debian-archive-keyring.gpg}"
INDEX_MAX_AGE_MINUTES=1440

say() { printf '# %s\n' "$*" >&2; }

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

cache_dir() {
	local dir=${XDG_CACHE_HOME:-$HOME/.cache}/kfreeze

	mkdir -p "$dir" && printf '%s\n' "$dir"
}

# cache_lock NAME: until the caller exits, nobody else fills this part.
cache_lock() {
	local fd

	mkdir -p "$(cache_dir)/lock"
	exec {fd}>"$(cache_dir)/lock/$1"
	flock "$fd"
}

# cache_apt SUITE: set APT_CONFIG to a private apt for SUITE of Debian whose
# index is at most a day old. The machine's own sources are left alone.
cache_apt() {
	local suite=$1 dir

	dir=$(cache_dir)/apt/$suite
	export APT_CONFIG="$dir/apt.conf"
	(cache_lock "apt-$suite" && apt_refresh "$suite" "$dir")
}

apt_refresh() {
	local suite=$1 dir=$2

	if [ -n "$(find "$dir/updated" -mmin -$INDEX_MAX_AGE_MINUTES \
		2>/dev/null)" ]; then
		return 0
	fi
	mkdir -p "$dir/etc/none" "$dir/etc/preferences.d" "$dir/lists/partial" \
		"$dir/archives/partial"
	: >"$dir/status"
	apt_sources "$suite" >"$dir/etc/sources.list"
	apt_conf "$dir" >"$APT_CONFIG"
	say "$suite: reading the package index of $DEBIAN_MIRROR"
	if apt-get update -qq -o APT::Update::Error-Mode=any >&2; then
		touch "$dir/updated"
	elif [ -e "$dir/updated" ]; then
		say "$suite: no network, keeping the package index of" \
			"$(date -r "$dir/updated" +%F)"
	else
		die "$suite: cannot read the package index of $DEBIAN_MIRROR"
	fi
}

# Security and backports are suites of their own, on top of the release.
apt_sources() {
	local release=${1%-backports}
	local deb="deb [signed-by=$DEBIAN_KEYRING arch=amd64]"

	echo "$deb $DEBIAN_MIRROR $release main"
	case $1 in
	sid) ;;
	*-backports) echo "$deb $DEBIAN_MIRROR $1 main" ;;
	*) echo "$deb $DEBIAN_SECURITY_MIRROR $release-security main" ;;
	esac
}

# Old releases have expired indices; a proxy of the machine is honoured.
apt_conf() {
	local dir=$1 proxy

	proxy=$(env -u APT_CONFIG apt-config shell p Acquire::http::Proxy)
	cat <<-EOF_CONF
		Dir::Etc "$dir/etc";
		Dir::Etc::Parts "$dir/etc/none";
		Dir::State "$dir";
		Dir::State::Lists "$dir/lists";
		Dir::State::Status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::Archives "$dir/archives";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "root";
		Acquire::Check-Valid-Until "false";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOF_CONF
	case $1 in
	*-backports) echo "APT::Default-Release \"${1##*/}\";" ;;
	esac
	if [ -n "$proxy" ]; then
		eval "$proxy"
		# shellcheck disable=SC2154 # p is what apt-config set
		echo "Acquire::http::Proxy \"$p\";"
	fi
}
