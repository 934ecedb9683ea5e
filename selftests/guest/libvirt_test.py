#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kfreezed as libvirt sees it: the commands of virsh that go to the agent, and
what the machine then does: sleeps, wakes, reboots, halts, powers off."""

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import build_product
from guest_dir import work_dir
from guest_host import (CONFIG, HOOK_DIR, LOST, Failed, Host, check,
                        check_equal, make_disk)
from guest_suite import Suite
from libvirt_guest import NAME, LibvirtGuest, VirshError

DISABLED = "has been disabled: the command is not allowed"
SUITE = Suite(__doc__, timeout=900)


class Libvirt(Host):
    disk = None         # the file that was /srv/a's first

    def virsh(self, command, *words):
        return self.guest.virsh(command, NAME, *words)

    def refused(self, command, *words):
        """The error a command must end with."""
        try:
            out = self.virsh(command, *words)
        except VirshError as error:
            return str(error)
        raise Failed(f"{command} succeeded: {out!r}")

    def table(self, command, *words):
        """The words of each row."""
        return [line.split() for line
                in self.virsh(command, *words).splitlines()]

    def described(self, command, separator, *words):
        return dict(re.split(rf"\s*{separator}\s*", line, maxsplit=1) for line
                    in self.virsh(command, *words).splitlines())

    def freeze(self, mountpoints=()):
        return self.virsh("domfsfreeze", *(word for path in mountpoints
                                           for word in ("--mountpoint", path)))

    def thaw(self):
        return self.virsh("domfsthaw")

    def wait_state(self, state):
        deadline = time.monotonic() + 60
        while (seen := self.virsh("domstate", "--reason")) != state:
            if time.monotonic() > deadline:
                raise Failed(f"saw {seen!r}, wanted {state!r}")
            time.sleep(0.1)

    def wait_console(self, text):
        """What the kernel says since QEMU was started."""
        deadline = time.monotonic() + 60
        while text not in self.guest.console.read_text(errors="replace"):
            check(time.monotonic() < deadline, text)
            time.sleep(0.1)


@SUITE.test
def filesystems(host):
    check_equal(host.table("domfsinfo"), [["/", "vda", "ext4", "vda"],
                                          ["/srv/a", "vdc", "ext4", "vdc"]])


@SUITE.test
def description_of_the_guest(host):
    info = host.described("guestinfo", ":")
    seen = {key: info[key] for key in (
        "os.id", "os.version-id", "os.kernel-release", "timezone.name",
        "hostname", "user.count", "fs.count", "fs.1.mountpoint",
        "fs.1.disk.0.device", "disk.2.name", "disk.2.alias", "if.0.name",
        "if.0.addr.0.addr")}
    check_equal(seen, {
        "os.id": "debian", "os.version-id": "12",
        "os.kernel-release": host.guest.release, "timezone.name": "UTC",
        "hostname": "kfreeze-guest", "user.count": "0", "fs.count": "2",
        "fs.1.mountpoint": "/srv/a", "fs.1.disk.0.device": "/dev/vdc",
        "disk.2.name": "/dev/vdc", "disk.2.alias": "vdc", "if.0.name": "lo",
        "if.0.addr.0.addr": "127.0.0.1"})
    check_equal(host.virsh("domhostname", "--source", "agent"),
                "kfreeze-guest")
    check_equal(host.table("domifaddr", "--source", "agent")[0],
                ["lo", "00:00:00:00:00:00", "ipv4", "127.0.0.1/8"])


@SUITE.test
def clock(host):
    then = 1900000000
    host.virsh("domtime", "--time", then)
    seen = int(host.described("domtime", ":")["Time"])
    check(then <= seen < then + 20, seen)
    host.virsh("domtime", "--now")
    seen = int(host.guest.run("date +%s").out)
    check(abs(seen - time.time()) < 20, seen)
    host.guest.run(f"date -s @{then}")
    host.virsh("domtime", "--sync")     # from the hardware's, which --now set
    seen = int(host.described("domtime", ":")["Time"])
    check(abs(seen - time.time()) < 20, seen)


@SUITE.test
def processors(host):
    wanted = {"vcpus": "0-1", "online": "0-1", "offlinable": "1"}
    check_equal(host.described("guestvcpus", ":"), wanted)
    host.virsh("guestvcpus", "--disable", "--cpulist", "1")
    check_equal(host.described("guestvcpus", ":"), {**wanted, "online": "0"})
    host.virsh("guestvcpus", "--enable", "--cpulist", "1")
    check_equal(host.described("guestvcpus", ":"), wanted)


@SUITE.test
def trim(host):
    """The file on the host gets its hole back."""
    host.guest.run("cd /srv/a && head -c 8M /dev/urandom >x && sync")
    before = host.disk.stat().st_blocks
    host.guest.run("cd /srv/a && rm x && sync")
    host.virsh("domfstrim")
    after = host.disk.stat().st_blocks
    check(before - after >= (8 << 20) // 512, (before, after))


@SUITE.test
def freeze_and_thaw(host):
    host.freeze()
    jobs = host.check_frozen("/", "/srv/a")
    for command in ("domfsfreeze", "domfsinfo", "domfstrim"):
        error = host.refused(command)
        check(DISABLED in error, error)
    for command in ("shutdown", "reboot"):
        error = host.refused(command, "--mode", "agent")
        check(DISABLED in error, error)
    error = host.refused("dompmsuspend", "mem")
    check(DISABLED in error, error)
    host.thaw()
    host.check_ended(jobs)
    check_equal(host.last_cycle()["verdict"], "ok")


@SUITE.test
def freeze_of_one_mountpoint(host):
    host.freeze(["/srv/a/"])
    jobs = host.check_frozen("/srv/a")
    host.check_writable("/")
    error = host.refused("domfsthaw", "--mountpoint", "/srv/a")
    check("specifying mountpoints is not supported" in error, error)
    host.thaw()
    host.check_ended(jobs)


@SUITE.test
def thaw_of_a_lost_freeze_fails(host):
    host.guest.push(CONFIG, "[general]\ntimeout = 2\n")
    try:
        host.guest.run("systemctl restart kfreezed kfreeze-monitor", 60)
        host.agent.sync(60)
        host.freeze()
        host.check_ended([host.write("/"), host.write("/srv/a")])
        check_equal(host.status(), "frozen")
        error = host.refused("domfsthaw")
        check(LOST in error, error)
    finally:
        host.reset()


# Of all disks but the payload, which cannot be written.
SNAPSHOT = ("copy", "--disk-only", "--quiesce", "--no-metadata",
            "--diskspec", "vdb,snapshot=no")


@SUITE.test
def snapshot_fails_with_its_hook(host):
    """Nothing is frozen, no overlay is made, the host reads why."""
    host.guest.push(f"{HOOK_DIR}/10-fails",
                    "#!/bin/sh\n# kfreeze: policy=abort\n"
                    "[ $1 = thaw ] || { echo disk full; exit 3; }\n", 0o755)
    try:
        before = host.virsh("domblklist")
        error = host.refused("snapshot-create-as", *SNAPSHOT)
        check(f"{HOOK_DIR}/10-fails: freeze hook failed: status 3: disk full"
              in error, error)
        check_equal(host.virsh("domblklist"), before)
        host.check_writable("/", "/srv/a")
    finally:
        host.guest.run(f"rm {HOOK_DIR}/10-fails")


def read_copy(disk):
    """A clean filesystem, which needs no recovery."""
    done = subprocess.run(["e2fsck", "-fn", disk], capture_output=True,
                          text=True, check=False)
    check_equal((done.returncode, "recover" in done.stdout), (0, False))
    return subprocess.run(["debugfs", "-R", "cat /data", disk], check=True,
                          capture_output=True, text=True).stdout


@SUITE.test
def snapshot_is_quiesced(host):
    host.guest.run("echo before >/srv/a/data")
    host.virsh("snapshot-create-as", *SNAPSHOT)
    cycle = host.last_cycle()
    check_equal(cycle["verdict"], "ok")
    host.guest.run("echo after >/srv/a/data && sync")
    check_equal(read_copy(host.disk), "before\n")
    host.guest.run("rm -f /srv/a/probe")


@SUITE.test
def agent_comes_and_goes(host):
    host.guest.run("systemctl stop kfreezed", 60)
    error = host.refused("domfsfreeze")
    check("QEMU guest agent is not connected" in error, error)
    host.guest.run("systemctl start kfreezed", 60)
    host.agent.sync(60)
    host.freeze()
    host.thaw()


@SUITE.test
def no_shell_for_the_host(host):
    error = host.refused("set-user-password", "root", "x")
    check("guest-set-user-password has not been found" in error, error)


@SUITE.test
def sleeps_and_wakes(host):
    host.virsh("dompmsuspend", "mem")
    host.wait_state("pmsuspended (unknown)")
    host.virsh("dompmwakeup")
    host.wait_state("running (event wakeup)")
    host.agent.sync(60)
    host.freeze()
    host.thaw()


@SUITE.test
def failed_sleep_is_told(host):
    """There is no swap to save anything to."""
    error = host.refused("dompmsuspend", "hybrid")
    check("child process has failed to suspend: " in error
          and "Not enough swap space" in error, error)
    host.freeze()
    host.thaw()


@SUITE.test
def sleep_thaws(host):
    """Not by us, so nobody refuses it: the freeze is lost, and told so."""
    host.freeze()
    jobs = host.check_frozen("/", "/srv/a")
    host.guest.spawn("echo mem >/sys/power/state")
    host.wait_state("pmsuspended (unknown)")
    host.virsh("dompmwakeup")
    host.check_ended(jobs)
    host.agent.sync(60)
    check_equal(host.status(), "frozen")
    error = host.refused("domfsthaw")
    check(LOST in error, error)


@SUITE.test
def powers_off(host):
    host.virsh("shutdown", "--mode", "agent")
    host.wait_state("shut off (shutdown)")


@SUITE.test
def reboots(host):
    host.guest.start_again()
    host.agent.sync(60)
    host.virsh("reboot", "--mode", "agent")
    host.wait_console("reboot: Restarting system")
    check_equal(host.virsh("domstate"), "running")
    host.virsh("destroy")       # it boots as it did before


@SUITE.test
def halts(host):
    """There is no event of it, and no answer."""
    host.guest.start_again()
    host.agent.sync(60)
    request = '{"execute":"guest-shutdown","arguments":{"mode":"halt"}}'
    error = host.refused("qemu-agent-command", request, "--timeout", "2")
    check(re.search("(didn't respond to|disappeared while executing) command",
                    error), error)
    host.wait_console("reboot: System halted")
    check_equal(host.virsh("domstate"), "running")


def reset(host):
    if host.virsh("domstate") != "running":
        return
    host.agent.sync(60)
    if host.status() == "frozen":
        host.reset()


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        guest = LibvirtGuest(
            "libvirt", kernel=options.kernel, timeout=options.timeout,
            install=work / "install", module=module,
            disks=[make_disk(work / "a")])
        with guest:
            guest.wait_boot()
            guest.run("mkdir /srv/a && mount /dev/vdc /srv/a"
                      " && echo data | tee /data >/srv/a/data")
            host = Libvirt(guest)
            host.disk = work / "a"
            yield "", host, reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
