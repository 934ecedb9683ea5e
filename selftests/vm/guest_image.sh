#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# guest_image.sh [databases|mysql]: print the path of the Debian 12 test guest's
# root filesystem image, on request the one with database servers, or one of
# Debian unstable, which alone has MySQL; make it first if the cache has none. Its name holds a hash of this script: an image is
# never changed once it is there. It has no kernel: see guest_boot.sh.
set -euo pipefail
# shellcheck source=cache.sh
. "$(dirname "$0")/cache.sh"

SUITE=bookworm
SIZE=1536M
PACKAGES="systemd systemd-sysv udev dbus kmod procps util-linux e2fsprogs
    xfsprogs btrfs-progs dmsetup strace qemu-guest-agent libnl-3-200
    libnl-genl-3-200 libmount1 libcap-ng0 libjson-c5 libsystemd0 libseccomp2"
# What a server does once a day, or on its console, is not wanted in a test.
MASKED="apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer
    e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target
    systemd-networkd-wait-online.service systemd-binfmt.service
    proc-sys-fs-binfmt_misc.automount qemu-guest-agent.service"

variant=${1-base} download=90
case $variant in
base) ;;
databases)
    SIZE=3G download=180
    PACKAGES="$PACKAGES mariadb-server mariadb-client postgresql redis-server"
    # The tests start the servers, on disks of their own.
    MASKED="$MASKED mariadb.service postgresql.service redis-server.service"
    ;;
mysql)
    SUITE=sid SIZE=3G download=250
    PACKAGES="$PACKAGES mysql-server mysql-client"
    MASKED="$MASKED mysql.service"
    ;;
*) die "usage: guest_image.sh [databases|mysql]" ;;
esac

cache=$(cache_dir)
key=$(sha256sum "$0" | cut -c1-12)
image=$cache/guest-$SUITE-$variant-$key.ext4

configure() {
    local root=$1 unit

    for unit in $MASKED; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    # As after an installation: a persistent journal, no first boot to do.
    mkdir -p "$root/var/log/journal"
    od -An -tx1 -N16 /dev/urandom | tr -d ' ' >"$root/etc/machine-id"
    touch "$root/etc/.updated" "$root/var/.updated"
    echo kfreeze-guest >"$root/etc/hostname"
    echo "/dev/vda / ext4 defaults 0 0" >"$root/etc/fstab"
    rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin
}

build() {
    local work include

    work=$(mktemp -d "$cache/guest-XXXXXX")
    # shellcheck disable=SC2064 # work is local: expand it now
    trap "rm -rf '$work'" EXIT
    trap 'exit 1' HUP INT TERM
    include=$(echo "$PACKAGES" | tr -s ' \n' ',')
    mmdebstrap --quiet --mode=root --variant=minbase --include="$include" \
        --aptopt='APT::Install-Recommends "false"' \
        --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' \
        "$SUITE" "$work/root" - < <(apt_sources "$SUITE") >&2
    configure "$work/root"
    truncate -s "$SIZE" "$work/image"
    mke2fs -q -t ext4 -L guest-root -E lazy_itable_init=0,nodiscard \
        -d "$work/root" "$work/image" >&2
    mv "$work/image" "$image"
}

cache_lock "guest-image-$variant"
if [ ! -e "$image" ]; then
    say "making the guest's $variant image, Debian $SUITE: once, about" \
        "$download MB of downloads"
    build
fi
echo "$image"
