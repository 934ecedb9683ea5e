# SPDX-License-Identifier: GPL-2.0
"""What tests of the whole need again and again, from the host's side."""

import subprocess
import sys

from qemu import Disk
from qga_client import AgentError

CONFIG = "/etc/kfreeze/kfreezed.conf"
HOOK_DIR = "/etc/kfreeze/hooks.d"
LOST = "fsfreeze is limited"
TELL_TIME = "read -r up idle </proc/uptime && echo $up"
DIRECTORIES = ("/srv/a", "/srv/b")      # each a filesystem of its own


def make_disk(path):
    with open(path, "wb") as disk:
        disk.truncate(64 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", path], check=True)
    return Disk(str(path), snapshot=False)


def without_module(host):
    """The second round: the monitor has to fall back to FIFREEZE."""
    host.guest.run("systemctl stop kfreezed kfreeze-monitor && rmmod kfreeze"
                   " && echo 'install kfreeze /bin/false'"
                   " >/etc/modprobe.d/no-kfreeze.conf"
                   " && systemctl start kfreezed", 60)
    host.backend = "ioctl"


def with_module(host):
    """As it was before without_module()."""
    host.guest.run("rm /etc/modprobe.d/no-kfreeze.conf && modprobe kfreeze"
                   " && systemctl restart kfreeze-monitor kfreezed", 60)
    host.backend = "kmod"


def by_ioctl(test):
    """The same test without the module."""
    def run(host):
        without_module(host)
        try:
            host.agent.sync(60)
            test(host)
            check("kfreeze " not in host.guest.run("cat /proc/modules").out,
                  "the module was loaded")
        finally:
            with_module(host)
    run.__name__ = f"{test.__name__}_by_ioctl"
    return run


class Failed(Exception):
    pass


def check(claim, seen):
    if not claim:
        raise Failed(f"line {sys._getframe(1).f_lineno}: saw {seen!r}")


def check_equal(seen, wanted):
    if seen != wanted:
        raise Failed(f"line {sys._getframe(1).f_lineno}: saw {seen!r},"
                     f" wanted {wanted!r}")


class Host:
    """The host of one guest: its agent client, and what tests often need."""

    def __init__(self, guest):
        self.guest = guest
        self.agent = guest.agent()
        self.backend = "kmod"

    def freeze(self, mountpoints=None):
        if mountpoints is None:
            return self.agent.call("guest-fsfreeze-freeze", timeout=60)
        return self.agent.call("guest-fsfreeze-freeze-list",
                               {"mountpoints": mountpoints}, timeout=60)

    def thaw(self):
        return self.agent.call("guest-fsfreeze-thaw", timeout=60)

    def status(self):
        return self.agent.call("guest-fsfreeze-status")

    def last_cycle(self):
        return self.agent.call("__org.kfreeze_report")["cycles"][-1]

    def error_of(self, command, arguments=None):
        """The error a command must end with."""
        try:
            value = self.agent.call(command, arguments, timeout=60)
        except AgentError as error:
            return error
        raise Failed(f"{command} succeeded: {value!r}")

    def reconnect(self):
        self.agent.close()
        self.agent = self.guest.agent()

    def main_pid(self, unit):
        pid = self.guest.run(f"systemctl show -p MainPID --value {unit}").out
        check(int(pid) > 0, f"{unit} does not run")
        return int(pid)

    def write(self, directory):
        """A Job which writes there, then prints the time; it starts nothing
        else, so the time is that of the write."""
        return self.guest.spawn(f"echo >>{directory}/probe && {TELL_TIME}")

    def check_frozen(self, *directories):
        """A write blocks, a read does not; returns the blocked writes."""
        jobs = [self.write(directory) for directory in directories]
        for directory in directories:
            self.guest.run(f"cat {directory}/data >/dev/null", timeout=10)
        check(not jobs[0].wait(1), "a write ended")
        for job in jobs:
            check_equal(job.code, None)
        return jobs

    @staticmethod
    def check_ended(jobs):
        for job in jobs:
            check(job.wait(15) and job.code == 0, f"{job.command}: {job.code}")

    def check_writable(self, *directories):
        self.check_ended([self.write(directory) for directory in directories])

    def check_lost(self):
        """The host asks for the truth and gets it."""
        self.agent.sync(30)
        check_equal(self.status(), "frozen")
        error = self.error_of("guest-fsfreeze-thaw")
        check(LOST in error.desc, error.desc)
        check_equal(self.status(), "thawed")

    def reset(self):
        """Whatever a test left behind, the next one finds a fresh system."""
        self.guest.run("systemctl stop kfreezed kfreeze-monitor", 60)
        for directory in ("/", *DIRECTORIES):
            self.guest.run(f"fsfreeze -u {directory}", check=False)
        self.guest.run(f"rm -f {HOOK_DIR}/* {CONFIG} /srv/*/probe")
        self.guest.run("systemctl start kfreezed", 60)
        self.reconnect()
        self.agent.sync(30)
        if self.status() == "frozen":
            self.error_of("guest-fsfreeze-thaw")
