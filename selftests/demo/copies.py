# SPDX-License-Identifier: GPL-2.0
"""The guest's filesystems, copies of them, and what a copy is worth."""

from dataclasses import dataclass

import disk_image
import records

INNER_IMAGE = "/inner.img"      # on the xfs: holds one more ext4


@dataclass(frozen=True)
class Filesystem:
    name: str
    kind: str
    directory: str      # of the guest: where it is mounted, or a part of it
    order: str          # path of the ordered records inside it
    mkfs: tuple = ()    # of those with a disk which the demo makes


# In the order in which the guest writes to them.
FILESYSTEMS = [
    Filesystem("root", "ext4", "/srv", "/srv/order"),
    Filesystem("ext4", "ext4", "/srv/ext4", "/order",
               ("mke2fs", "-q", "-t", "ext4")),
    Filesystem("xfs", "xfs", "/srv/xfs", "/order", ("mkfs.xfs", "-q")),
    Filesystem("btrfs", "btrfs", "/srv/btrfs", "/order",
               ("mkfs.btrfs", "-q")),
    Filesystem("loop", "ext4", "/srv/loop", "/order"),
]
DISKS = [fs for fs in FILESYSTEMS if fs.mkfs]


class Copy:
    """Copies of all disks, made one after the other."""

    def __init__(self, disks, directory, between=lambda: None):
        self._directory = directory
        directory.mkdir()
        for fs in FILESYSTEMS:
            if fs.name != "loop":
                disk_image.output_of(
                    "cp", "--reflink=auto", "--sparse=always",
                    disks / f"{fs.name}.img", self._image(fs))
                between()

    def _image(self, fs):
        return self._directory / f"{fs.name}.img"

    def count_records(self, fs):
        order = self._directory / f"{fs.name}.order"
        disk_image.KINDS[fs.kind].extract(self._image(fs), fs.order, order)
        return records.count_records(order.read_bytes())

    def _examine_one(self, fs):
        if fs.name == "loop":
            disk_image.KINDS["xfs"].extract(self._directory / "xfs.img",
                                            INNER_IMAGE, self._image(fs))
        return (disk_image.KINDS[fs.kind].check(self._image(fs)),
                self.count_records(fs))

    def examine(self, acked):
        """What is wrong with each filesystem, and with the order of records.

        Returns a dict of lists, and how many records each one has.
        """
        found, counts = {}, []
        for fs in FILESYSTEMS:
            try:
                found[fs.name], count = self._examine_one(fs)
                counts.append(count)
            except (disk_image.ImageError, ValueError) as error:
                found[fs.name] = [str(error)]
        found["order"] = ["not all files can be read"]
        if len(counts) == len(FILESYSTEMS):
            found["order"] = records.order_problems(counts, acked)
        return found, counts

    def replay(self, fs):
        """What the first mount would do."""
        disk_image.run("e2fsck", "-f", "-y", self._image(fs))
