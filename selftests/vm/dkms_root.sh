#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Print the directory of a Debian 12 with DKMS, its own kernel and headers, and
# in /newer-kernel the packages of another to install; make it first if the cache
# has none. It is to be copied, never changed.
set -euo pipefail
# shellcheck source=cache.sh
. "$(dirname "$0")/cache.sh"

SUITE=bookworm
NEWER=/newer-kernel
KERNEL="linux-image-amd64 linux-headers-amd64"
PACKAGES="dkms openssl systemd systemd-sysv udev dbus procps e2fsprogs
    libnl-3-200 libnl-genl-3-200 libmount1 libcap-ng0 libjson-c5 libsystemd0
    libseccomp2 $KERNEL"
MASKED="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
    e2scrub_all.timer e2scrub_reap.service getty.target
    systemd-networkd-wait-online.service"

dir=$(cache_dir)/dkms-$SUITE-$(sha256sum "$0" | cut -c1-12)

configure() {
    local root=$1 unit

    for unit in $MASKED; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    od -An -tx1 -N16 /dev/urandom | tr -d ' ' >"$root/etc/machine-id"
    echo "/dev/vda / ext4 defaults 0 0" >"$root/etc/fstab"
    touch "$root/etc/.updated" "$root/var/.updated"
}

build() {
    local include

    include=$(echo "$PACKAGES" | tr -s ' \n' ',')
    # shellcheck disable=SC2016 # expanded by mmdebstrap's shell
    mmdebstrap --quiet --mode=root --variant=minbase --include="$include" \
        --aptopt='APT::Install-Recommends "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        --customize-hook="mkdir \"\$1$NEWER\"" \
        --customize-hook="chroot \"\$1\" apt-get -qq install --download-only \
            -o Dir::Cache::Archives=$NEWER -t $SUITE-backports $KERNEL" \
        "$SUITE" "$1" - \
        < <({ apt_sources "$SUITE"; apt_sources "$SUITE-backports"; } | sort -u) >&2
}

cache_lock dkms-root
if [ ! -d "$dir" ]; then
    say "making a Debian 12 with DKMS: once, about 250 MB of downloads"
    rm -rf --one-file-system "$dir.new"
    build "$dir.new"
    configure "$dir.new"
    mv -T "$dir.new" "$dir"
fi
echo "$dir"
