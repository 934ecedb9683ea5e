#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A guest that hibernates while everything is frozen, and is woken up by the
next boot: the freeze is lost, and told so, and no data with it."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import Guest, build_product      # noqa: E402
from guest_dir import work_dir              # noqa: E402
from guest_host import LOST, Host, check, check_equal, make_disk  # noqa: E402
from guest_suite import Suite               # noqa: E402
from qemu import Disk                       # noqa: E402

SWAP = "/dev/vdd"
SWAP_SIZE = 1 << 30
SLEEP_S = WAKE_S = 180      # to write all memory, and to boot and read it
SUSPENDED = "the system was suspended"
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"
SUITE = Suite(__doc__)


class Sleeper(Guest):
    def fall_asleep(self):
        """It ends as it does when it powers off."""
        self.spawn("echo shutdown >/sys/power/disk"
                   " && echo disk >/sys/power/state")
        check_equal(self.wait(SLEEP_S), "0")

    def wake_up(self):
        """Its programs go on, and greet nobody."""
        self._sock.close()
        self._input = b""
        self.restart()
        self.run("true", WAKE_S)


def make_swap(path):
    with open(path, "wb") as disk:
        disk.truncate(SWAP_SIZE)
    subprocess.run(["mkswap", "-q", path], check=True)
    return Disk(str(path), snapshot=False)


@SUITE.test
def hibernation_thaws(lab):
    guest, image = lab
    guest.run("mkdir /srv/a && mount /dev/vdc /srv/a"
              " && head -c 8M /dev/urandom >/srv/a/data"
              " && head -c 8M /dev/urandom >/srv/data"
              f" && sync && swapon {SWAP}")
    sums = guest.run("sha256sum /srv/a/data /srv/data").out
    boot = guest.run(BOOT_ID).out
    host = Host(guest)
    host.agent.sync(60)
    check_equal(host.freeze(), 2)
    host.check_frozen("/srv", "/srv/a")
    guest.fall_asleep()
    guest.wake_up()
    check_equal(guest.run(BOOT_ID).out, boot)
    host.reconnect()
    host.agent.sync(60)
    check_equal(host.last_cycle()["verdict"], "lost")
    check_equal(host.status(), "frozen")
    error = host.error_of("guest-fsfreeze-thaw").desc
    check(LOST in error and SUSPENDED in error, error)
    check_equal(guest.run("cat /srv/probe /srv/a/probe").out, "\n\n")
    guest.run("echo 3 >/proc/sys/vm/drop_caches")
    check_equal(guest.run("sha256sum /srv/a/data /srv/data").out, sums)
    check_equal(host.freeze(), 2)
    check_equal(host.thaw(), 2)

    guest.spawn("systemctl poweroff")
    check_equal(guest.wait(SLEEP_S), "0")
    subprocess.run(["e2fsck", "-fn", image], check=True,
                   stdout=subprocess.DEVNULL)


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        guest = Sleeper(
            "sleep", kernel=options.kernel, timeout=options.timeout,
            module=module, install=work / "install", root=work / "root",
            disks=[make_disk(work / "a"), make_swap(work / "swap")],
            append=f"resume={SWAP}", memory=512)
        with guest:
            guest.wait_boot()
            yield "", (guest, work / "a"), lambda lab: None


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
