#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""A reboot while everything is frozen: the guest comes down long before the
freeze would end by itself, and its filesystems are whole. A guest for each."""

import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import Guest, build_product      # noqa: E402
from guest_dir import work_dir              # noqa: E402
from guest_host import (CONFIG, Host, check, check_equal,   # noqa: E402
                        make_disk, without_module)
from guest_suite import Suite               # noqa: E402

FREEZE_S = 120          # the longest there is
DOWN_S = 90             # for a reboot on an emulated CPU
TRACE_THAWS = ("dmesg -n 8 && mount -t tracefs none /sys/kernel/tracing;"
               " echo 1 >/sys/kernel/tracing/events/kfreeze/thaw/enable")
THAWED = re.compile(r"thaw: dev=\d+:\d+ level=\d+ error=0")
RESTARTS = "reboot: Restarting system"
SUITE = Suite(__doc__)


class Lab:
    """Boots guests of one product."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.module = build_product(work / "install", options.kernel)
        self.image = work / "a"

    @contextmanager
    def frozen(self, backend, prepare=""):
        """A guest whose two filesystems are frozen, and writers wait."""
        disk = make_disk(self.image)
        with Guest("reboot", kernel=self.options.kernel,
                   timeout=self.options.timeout, module=self.module,
                   install=self.work / "install", disks=[disk],
                   append="tp_printk") as guest:
            guest.wait_boot()
            guest.push(CONFIG, f"[general]\ntimeout = {FREEZE_S}\n")
            guest.run(f"mkdir /srv/a && mount /dev/vdc /srv/a &&"
                      f" date >/srv/a/data; date >/srv/data; {prepare}")
            host = Host(guest)
            if backend == "ioctl":
                without_module(host)
            else:
                guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
            host.agent.sync(60)
            check_equal(host.freeze(), 2)
            check_equal(host.status(), "frozen")
            host.check_frozen("/srv", "/srv/a")
            yield guest

    def fsck(self, *options):
        return subprocess.run(["e2fsck", "-f", *options, self.image],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)


def come_down(guest, command):
    guest.spawn(command)
    status = guest.wait(DOWN_S)
    check_equal(status, "0")    # as -no-reboot ends it
    console = guest.console.read_text(errors="replace")
    check(RESTARTS in console, console[-2000:])
    return console[:console.index(RESTARTS)]


def shut_down(lab, backend):
    """By systemd, which stops our processes and unmounts."""
    with lab.frozen(backend) as guest:
        come_down(guest, "systemctl reboot")
    seen = lab.fsck("-n")
    check_equal(seen.returncode, 0)
    check("recovering" not in seen.stdout.lower(), seen.stdout)
    check("skipping journal recovery" not in seen.stdout, seen.stdout)


@SUITE.test
def shut_down_with_the_module(lab):
    shut_down(lab, "kmod")


@SUITE.test
def shut_down_without_the_module(lab):
    shut_down(lab, "ioctl")


@SUITE.test
def kernel_restarts_at_once(lab):
    """Nobody is stopped, nothing unmounted: the module hears of it."""
    with lab.frozen("kmod", TRACE_THAWS) as guest:
        console = come_down(guest, "reboot -ff")
    check_equal(len(THAWED.findall(console)), 2)
    lab.fsck("-y")      # the journal of what was mounted
    seen = lab.fsck("-n")
    check_equal((seen.returncode, seen.stdout.count("FIXED")), (0, 0))


def run(options):
    with work_dir() as work:
        yield "", Lab(options, work), lambda lab: None


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
