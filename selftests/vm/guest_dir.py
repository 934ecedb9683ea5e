# SPDX-License-Identifier: GPL-2.0
"""A directory for the disks of one run, beside the cache."""

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

from qemu import cache_dir

PREFIX = "work-"


def remove_stale():
    """What runs killed with -9 left behind: nobody holds its lock."""
    for path in cache_dir().glob(PREFIX + "*"):
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:       # its run has just ended
            continue
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(fd)


@contextmanager
def work_dir(keep=False):
    remove_stale()
    new = Path(tempfile.mkdtemp(prefix="new-", dir=cache_dir()))
    fd = os.open(new, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    path = new.rename(new.with_name(PREFIX + new.name))     # never unlocked
    try:
        yield path
    finally:
        if keep:
            print(f"kept: {path.rename(path.with_name('kept-' + path.name))}")
        else:
            shutil.rmtree(path, ignore_errors=True)
        os.close(fd)
