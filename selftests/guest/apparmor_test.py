#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kfreeze under its AppArmor profiles, enforced in a Debian 12 guest."""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import PROGRAMS, TOP, Guest, build_product    # noqa: E402
from guest_dir import work_dir                           # noqa: E402
from guest_host import HOOK_DIR, Host, check, check_equal    # noqa: E402
from guest_suite import Suite                            # noqa: E402

PROFILES = ("kfreezed", "kfreeze-monitor")
LABEL = "/proc/{}/attr/current"
HOOK = f"#!/bin/sh\necho $1 $(cat {LABEL.format('self')}) >>/run/hook-label\n"
SUITE = Suite(__doc__, rounds=2)


def check_nothing_denied(host):
    denied = host.guest.run("dmesg | grep apparmor= | grep DENIED",
                            check=False).out
    check_equal(denied, "")


@SUITE.test
def profiles_are_enforced(host):
    for name in PROFILES:
        pid = host.main_pid(name)
        label = host.guest.run(f"cat {LABEL.format(pid)}").out.strip()
        check_equal(label, f"{name} (enforce)")


@SUITE.test
def freeze_and_thaw_with_a_hook(host):
    host.guest.run("rm -f /run/hook-label")
    host.guest.push(f"{HOOK_DIR}/10-label", HOOK, 0o755)
    check_equal(host.freeze(), 1)
    check_equal(host.status(), "frozen")
    check("state: frozen" in host.guest.run("kfreezectl status").out, "status")
    check_equal(host.thaw(), 1)
    check_equal(host.last_cycle()["verdict"], "ok")
    check_equal(host.last_cycle()["backend"], host.backend)
    labels = host.guest.run("cat /run/hook-label").out
    check_equal(labels, "freeze unconfined\nthaw unconfined\n")
    check_nothing_denied(host)


@SUITE.test
def queries_work(host):
    for command in ("guest-get-fsinfo", "guest-get-disks", "guest-get-osinfo",
                    "guest-get-host-name", "guest-get-users",
                    "guest-get-cpustats", "guest-get-diskstats"):
        host.agent.call(command, timeout=60)
    check_nothing_denied(host)


@SUITE.test
def what_is_not_in_a_profile_is_denied(host):
    """Nothing was denied above because nothing had to be."""
    job = host.guest.run("printf 'changeprofile kfreezed'"
                         " >/proc/self/attr/current && read -r line"
                         " </etc/shadow", check=False)
    check("Permission denied" in job.err, job.err)
    host.guest.run("dmesg -C")


def compile_profile(name, out):
    """As apparmor_parser loads it; the guest has none."""
    source = TOP / "daemon" / "apparmor" / f"usr.sbin.{name}"
    with open(out, "wb") as binary:
        subprocess.run(["apparmor_parser", "-QK", "-S", source], check=True,
                       stdout=binary)


def load_profiles(host):
    for name in PROFILES:
        host.guest.run(f"cat {PROGRAMS}/{name}.profile"
                       " >/sys/kernel/security/apparmor/.replace")


def reset(host):
    host.reset()


def run(options):
    with work_dir() as work:
        install = work / "install"
        module = build_product(install, options.kernel)
        target = install / PROGRAMS.lstrip("/")
        target.mkdir(parents=True)
        for name in PROFILES:
            compile_profile(name, target / f"{name}.profile")
        with Guest("apparmor", kernel=options.kernel, timeout=options.timeout,
                   install=install, module=module) as guest:
            guest.wait_boot()
            host = Host(guest)
            load_profiles(host)
            yield "kmod.", host, reset
            guest.run("systemctl stop kfreezed kfreeze-monitor && rmmod kfreeze"
                      " && echo 'install kfreeze /bin/false'"
                      " >/etc/modprobe.d/no-kfreeze.conf", 60)
            host.backend = "ioctl"
            yield "ioctl.", host, reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
