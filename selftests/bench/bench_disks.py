# SPDX-License-Identifier: GPL-2.0
"""The disks of the benchmark: filesystems that stay clean, and slow disks.

The clean ones are dm-linear slices of a few disks, as no machine has 256.
"""

import subprocess

from qemu import Disk

MIB = 1 << 20
CLEAN_DISKS = 4
SLICES = 64                     # of each clean disk
SLICE_SIZE = 8 * MIB
SLOW_DISKS = 8
SLOW_SIZE = 512 * MIB
SLOW_RATE = 40 * MIB            # bytes per second
DIRTY_MIB = 64                  # on each slow disk
FIRST_LETTER = "c"              # vda and vdb are the guest's own

def make_filesystem(path, size):
    with open(path, "wb") as disk:
        disk.truncate(size)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-E",
                    "lazy_itable_init=0,lazy_journal_init=0", path],
                   check=True)


def make_clean(work):
    """All slices are copies of one filesystem."""
    slice_path = work / "slice"
    make_filesystem(slice_path, SLICE_SIZE)
    content = slice_path.read_bytes()
    for number in range(CLEAN_DISKS):
        path = work / f"clean{number}"
        with open(path, "wb") as disk:
            for _ in range(SLICES):
                write_sparse(disk, content)
            disk.truncate(SLICES * SLICE_SIZE)
        yield Disk(str(path), snapshot=False, cache="unsafe")


def write_sparse(disk, content, block=65536):
    empty = bytes(block)
    for offset in range(0, len(content), block):
        part = content[offset:offset + block]
        if part == empty:
            disk.seek(block, 1)
        else:
            disk.write(part)


def make_slow(work):
    for number in range(SLOW_DISKS):
        path = work / f"slow{number}"
        make_filesystem(path, SLOW_SIZE)
        yield Disk(str(path), snapshot=False, cache="unsafe",
                   bps_write=SLOW_RATE)


def make_disks(work):
    return [*make_clean(work), *make_slow(work)]


def device(number):
    return f"vd{chr(ord(FIRST_LETTER) + number)}"


class BenchDisks:
    """The guest's view of them."""

    def __init__(self, guest):
        self.guest = guest
        self.clean = []         # mount points
        self.slow = [f"/srv/d{number}" for number in range(SLOW_DISKS)]

    def make_slices(self):
        """Without udev, which would look at each of them for a while."""
        sectors = SLICE_SIZE // 512
        tables = ";".join(
            f"s{disk * SLICES + number},,,rw,0 {sectors} linear"
            f" /dev/{device(disk)} {number * sectors}"
            for disk in range(CLEAN_DISKS) for number in range(SLICES))
        self.guest.run(
            "systemctl stop systemd-udevd systemd-udevd-control.socket"
            " systemd-udevd-kernel.socket && modprobe dm_mod"
            f" && dmsetup create --noudevsync --concise '{tables}'"
            f" && mkdir $(seq -f /srv/s%g 0 {CLEAN_DISKS * SLICES - 1})", 300)

    def mount_clean(self, count):
        """As many as this in all."""
        have = len(self.clean)
        if have < count:
            self.guest.run(f"for n in $(seq {have} {count - 1}); do"
                           " mount -t ext4 /dev/dm-$n /srv/s$n || exit 1;"
                           " done", 300)
        self.clean += [f"/srv/s{number}" for number in range(have, count)]

    def unmount_clean(self):
        self.guest.run(f"umount {' '.join(self.clean)}", 300)
        self.clean = []

    def mount_slow(self):
        for number, directory in enumerate(self.slow):
            self.guest.run(f"mkdir {directory} && mount -t ext4"
                           f" /dev/{device(CLEAN_DISKS + number)} {directory}")

    def settle(self):
        """A file that is made anew is not flushed when it is closed."""
        self.guest.run("rm -f /srv/d*/data; sync", 120)

    def dirty(self):
        """DIRTY_MIB on each slow disk, none of it written yet."""
        self.guest.run(f"for d in {' '.join(self.slow)}; do dd if=/dev/zero"
                       f" of=$d/data bs=1M count={DIRTY_MIB} status=none"
                       " || exit 1; done", 120)
        seen = int(self.guest.run(
            "sed -n 's/^Dirty: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo").out)
        if seen < SLOW_DISKS * DIRTY_MIB * 1024 * 0.95:
            raise RuntimeError(f"only {seen} KiB are dirty")
