# SPDX-License-Identifier: GPL-2.0
"""Look into a copy of a filesystem with its own tools; nothing is mounted.

check(path) says what is wrong with it as the disk holds it now, without the
journal: a list of complaints.  extract(path, name, target) gets a file out.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path


class ImageError(Exception):
    pass


def run(*argv):
    """(exit status, all output) of a tool."""
    done = subprocess.run([str(word) for word in argv],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL, text=True,
                          errors="replace", check=False, timeout=120)
    return done.returncode, done.stdout


def output_of(*argv):
    code, output = run(*argv)
    if code:
        raise ImageError(f"{argv[0]}: exit status {code}: {output.strip()}")
    return output


def complaint(tool, output):
    lines = [line for line in output.splitlines() if line.strip()]
    return f"{tool}: {'; '.join(lines[:3])}"


class Ext4:
    def check(self, path):
        found = []
        features = re.search(r"^Filesystem features: (.*)$",
                             output_of("dumpe2fs", "-h", path), re.M)
        if "needs_recovery" in features.group(1).split():
            found.append("ext4: the journal needs to be replayed")
        code, output = run("e2fsck", "-f", "-n", path)
        if code:
            found.append(complaint("e2fsck", output))
        return found

    def extract(self, path, name, target):
        output_of("debugfs", "-R", f"dump {name} {target}", path)
        if not Path(target).exists():
            raise ImageError(f"{path}: {name}: not found")


class Xfs:
    """A freeze writes everything back, then logs the superblock once more, on
    purpose: a crash while frozen shall not forget unlinked inodes. So such a
    log is never empty, but has nothing else in it; and the kernel counts free
    space anew when it finds a log, so the superblock's sums may be off.
    """

    # What xfs_repair -n says of an image in which all is well.
    FINE = re.compile(
        r"Phase \d+ - |\s+- |sb_(fdblocks|ifree|icount) \d+, counted \d+$"
        r"|Cannot get host filesystem geometry|Repair may fail if there is a"
        r"|the image and the host filesystem|ALERT: The filesystem has valu"
        r"|ignored because the -n option|which may be resolved by first moun"
        r"|No modify flag set, skipping")

    def check(self, path):
        found = []
        log = output_of("xfs_logprint", "-t", path)
        items = set(re.findall(r"^(\w+): cnt:", log, re.M))
        blocks = set(re.findall(r"start blkno:(\w+)", log))
        if items - {"BUF"} or blocks - {"0x0"}:
            found.append("xfs: the log needs to be replayed")
        _, output = run("xfs_repair", "-n", path)
        bad = [line for line in output.splitlines()
               if line and not self.FINE.match(line)]
        if bad or "No modify flag set, skipping filesystem" not in output:
            found.append(complaint("xfs_repair", "\n".join(bad) or output))
        return found

    def extract(self, path, name, target):
        geometry = self._db(path, "sb 0", "print blocksize agblocks")
        block, ag_blocks = (int(n) for n in re.findall(r"= (\d+)", geometry))
        inode = self._db(path, f"path {name}", "print core.size")
        size = int(re.search(r"= (\d+)", inode).group(1))
        with open(path, "rb") as disk, open(target, "wb") as out:
            out.truncate(size)
            for offset, group, start, count in self._extents(path, name):
                disk.seek((group * ag_blocks + start) * block)
                out.seek(offset * block)
                length = min(count * block, size - offset * block)
                out.write(disk.read(max(length, 0)))

    def _extents(self, path, name):
        """(file offset, allocation group, block in it, count): written ones."""
        bmap = self._db(path, f"path {name}", "bmap")
        for match in re.finditer(
                r"data offset (\d+) startblock \d+ \((\d+)/(\d+)\)"
                r" count (\d+) flag 0", bmap):
            yield tuple(int(number) for number in match.groups())

    @staticmethod
    def _db(path, *commands):
        words = [word for command in commands for word in ("-c", command)]
        return output_of("xfs_db", "-r", *words, path)


class Btrfs:
    def check(self, path):
        found = []
        log_root = re.search(r"^log_root\s+(\d+)$", output_of(
            "btrfs", "inspect-internal", "dump-super", path), re.M)
        if log_root.group(1) != "0":
            found.append("btrfs: the log tree needs to be replayed")
        code, output = run("btrfs", "check", "--readonly", path)
        if code:
            found.append(complaint("btrfs check", output))
        return found

    def extract(self, path, name, target):
        with tempfile.TemporaryDirectory(dir=Path(target).parent) as directory:
            output_of("btrfs", "restore", "--path-regex", f"^(|{name})$",
                      path, directory)
            found = Path(directory) / name.lstrip("/")
            if not found.exists():
                raise ImageError(f"{path}: {name}: not found")
            shutil.move(found, target)


KINDS = {"ext4": Ext4(), "xfs": Xfs(), "btrfs": Btrfs()}
