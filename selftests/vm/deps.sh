#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Install what building, checking and the demo need, on Debian 12, as root.
# Does nothing when all is there; an ordinary user is told what to do.

set -eu

PACKAGES='gcc make pkg-config python3 python3-yaml python3-jsonschema
	libnl-3-dev libnl-genl-3-dev libmount-dev libcap-ng-dev libjson-c-dev
	libsystemd-dev libseccomp-dev libelf1
	qemu-system-x86 qemu-utils libvirt-daemon libvirt-clients
	libvirt-daemon-driver-qemu mmdebstrap debian-archive-keyring
	busybox-static cpio kmod mount zstd xz-utils dmsetup lvm2
	e2fsprogs xfsprogs btrfs-progs dosfstools jfsutils gfs2-utils
	exfatprogs udftools f2fs-tools nilfs-tools squashfs-tools genisoimage
	strace
	sparse coccinelle clang-format shellcheck
	clang libclang-rt-dev valgrind systemd
	selinux-policy-dev apparmor logrotate
	flex bison bc libelf-dev patch'

# shellcheck disable=SC2086 # a list of words
missing=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $PACKAGES \
	2>/dev/null | awk -v all="$PACKAGES" '
	$1 == "ii" { have[$2] = 1 }
	END {
		n = split(all, names)
		for (i = 1; i <= n; i++)
			if (!have[names[i]])
				printf "%s ", names[i]
	}')
missing=${missing% }
if [ -z "$missing" ]; then
	[ "$(id -u)" = 0 ] && exit 0
	echo "needs root, for mounts and chroots: run it with sudo" >&2
	exit 1
fi

install="apt-get install -y --no-install-recommends $missing"
if [ "$(id -u)" != 0 ]; then
	echo "missing packages; as root: apt-get update && $install" >&2
	exit 1
fi
echo "# installing $missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
$install
