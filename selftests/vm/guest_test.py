#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kfreeze as installed in a Debian 12 guest, seen from the host and as root.

Prints KTAP. All tests run twice in one boot: with the module, and without it.
"""

import json
import re
import sys

from guest import AGENT_PORT, Guest, build_product
from guest_dir import work_dir
from guest_host import (CONFIG, DIRECTORIES, HOOK_DIR, TELL_TIME, Host,
                        check, check_equal, make_disk, without_module)
from guest_suite import Suite
from qga_client import AgentError

EVERYTHING = 1 + len(DIRECTORIES)       # with the root filesystem
SUITE = Suite(__doc__, rounds=2)


@SUITE.test
def agent_has_no_rights(host):
    pid = host.main_pid("kfreezed")
    text = host.guest.run(f"cat /proc/{pid}/status").out
    status = dict(line.split(":\t", 1) for line in text.splitlines())
    uid = host.guest.run("id -u kfreezed").out.strip()
    check(uid != "0", uid)
    check_equal(status["Uid"].split(), [uid] * 4)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check_equal(int(status[name], 16), 0)
    check_equal(status["NoNewPrivs"], "1")
    check_equal(status["Seccomp"], "2")
    check_equal(status["Threads"], "1")


@SUITE.test
def freeze_and_thaw(host):
    check_equal(host.status(), "thawed")
    check_equal(host.freeze(), EVERYTHING)
    check_equal(host.status(), "frozen")
    jobs = host.check_frozen("/srv", *DIRECTORIES)
    check_equal(host.thaw(), EVERYTHING)
    host.check_ended(jobs)
    check_equal(host.status(), "thawed")
    check_equal(host.last_cycle()["verdict"], "ok")
    check_equal(host.last_cycle()["backend"], host.backend)


@SUITE.test
def freeze_list_takes_what_it_is_told(host):
    check_equal(host.freeze(["/srv/a", "/no/such"]), 1)
    jobs = host.check_frozen("/srv/a")
    host.check_writable("/srv", "/srv/b")
    check_equal(host.thaw(), 1)
    host.check_ended(jobs)


@SUITE.test
def second_freeze_is_refused(host):
    check_equal(host.freeze(), EVERYTHING)
    error = host.error_of("guest-fsfreeze-freeze")
    check_equal(error.klass, "CommandNotFound")
    check_equal(host.thaw(), EVERYTHING)


BREAK_DISK = """\
truncate -s 16M /run/c.img && mke2fs -q -t ext4 /run/c.img
loop=$(losetup -f --show /run/c.img)
size=$(blockdev --getsz $loop)
dmsetup create c --table "0 $size linear $loop 0"
mkdir -p /srv/c && mount /dev/mapper/c /srv/c && echo new >/srv/c/data
dmsetup suspend --nolockfs --noflush c
dmsetup load c --table "0 $size error"
dmsetup resume c
"""


@SUITE.test
def failed_freeze_is_rolled_back(host):
    """One of four filesystems has dirty data and a disk that fails."""
    host.guest.run(BREAK_DISK)
    try:
        error = host.error_of("guest-fsfreeze-freeze")
        check("/srv/c" in error.desc, error.desc)
        check(": flush: Input/output error" in error.desc, error.desc)
        host.check_writable("/srv", *DIRECTORIES)
        check_equal(host.status(), "thawed")
    finally:
        host.guest.run("umount /srv/c; dmsetup remove c; losetup -D")


@SUITE.test
def foreign_freeze_is_respected(host):
    """Busy, or up from 6.6 with the module, frozen by both."""
    host.guest.run("fsfreeze -f /srv/b")
    try:
        check_equal(host.freeze(), EVERYTHING)
        check_equal(host.backend, "kmod")
        check_equal(host.thaw(), EVERYTHING)
    except AgentError as error:
        check("/srv/b" in error.desc, error.desc)
        check("busy" in error.desc.lower(), error.desc)
    host.check_writable("/srv", "/srv/a")
    jobs = host.check_frozen("/srv/b")
    host.guest.run("fsfreeze -u /srv/b")
    host.check_ended(jobs)


@SUITE.test
def foreign_thaw_is_told(host):
    """Up to 6.5, and without the module, the kernel lets anybody thaw."""
    check_equal(host.freeze(), EVERYTHING)
    host.guest.run("fsfreeze -u /srv/a", check=False)
    job = host.write("/srv/a")
    if job.wait(2):
        host.check_lost()
    else:
        check_equal(host.thaw(), EVERYTHING)
    host.check_ended([job])
    host.check_writable("/srv", *DIRECTORIES)


@SUITE.test
def deadline_thaws(host):
    host.guest.push(CONFIG, "[general]\ntimeout = 4\n")
    host.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    host.agent.sync(30)
    check_equal(host.freeze(), EVERYTHING)
    begin = float(host.guest.run(TELL_TIME).out)
    job = host.write("/srv/a")
    host.check_ended([job])
    took = float(job.out) - begin
    check(2 < took < 6, took)
    host.check_lost()
    host.check_writable("/srv", *DIRECTORIES)


def killed_while_frozen(host, unit):
    pid = host.main_pid(unit)
    check_equal(host.freeze(), EVERYTHING)
    jobs = host.check_frozen("/srv", *DIRECTORIES)
    killed = host.guest.run(f"{TELL_TIME} && kill -9 {pid}").out
    host.check_ended(jobs)
    for job in jobs:
        took = float(job.out) - float(killed)
        check(took < 1, took)
    host.check_lost()


@SUITE.test
def killed_agent_thaws(host):
    killed_while_frozen(host, "kfreezed")


@SUITE.test
def killed_monitor_thaws(host):
    killed_while_frozen(host, "kfreeze-monitor")


@SUITE.test
def stopped_agent_thaws(host):
    check_equal(host.freeze(), EVERYTHING)
    jobs = host.check_frozen(*DIRECTORIES)
    host.guest.run("systemctl stop kfreezed", 30)
    host.check_ended(jobs)
    host.guest.run("systemctl start kfreezed", 30)
    host.check_lost()


@SUITE.test
def host_may_go_and_come(host):
    """Half an object and a freeze are left behind by the one before."""
    check_equal(host.freeze(), EVERYTHING)
    host.agent.send(b'{"execute": "guest-fsfreeze-th')
    host.reconnect()
    host.agent.sync(30)
    check_equal(host.status(), "frozen")
    check_equal(host.thaw(), EVERYTHING)


@SUITE.test
def hosts_may_come_and_go_fast(host):
    """The port's close and open reach the guest apart from its data, the more
    so when the agent comes before the worker that has both to tell."""
    host.guest.run("systemd-run -q --unit=busy sh -c 'while :; do :; done &"
                   " while :; do :; done'")
    try:
        host.guest.run(f"chrt -f -p 10 {host.main_pid('kfreezed')}")
        for _ in range(100):
            host.reconnect()
            host.agent.sync(10)
            for number in range(20):
                host.agent.send_command("guest-ping", ident=number)
            for number in range(20):
                check_equal(host.agent.read_reply(10),
                            {"return": {}, "id": number})
    finally:
        host.guest.run("systemctl stop busy")


@SUITE.test
def unplugged_port_thaws_and_a_new_one_serves(host):
    check_equal(host.freeze(), EVERYTHING)
    jobs = host.check_frozen(*DIRECTORIES)
    number = list(host.guest.ports).index(AGENT_PORT)
    host.guest.qmp("device_del", id=f"vport{number}")
    host.check_ended(jobs)
    host.agent.close()
    host.guest.run("udevadm settle && systemctl stop kfreezed")
    host.guest.qmp("device_add", driver="virtserialport", name=AGENT_PORT,
                   id=f"vport{number}", chardev=f"port{number}")
    host.agent = host.guest.agent()
    host.agent.sync(60)
    check_equal(host.agent.call("guest-ping"), {})


@SUITE.test
def bad_input_is_survived(host):
    pid = host.main_pid("kfreezed")
    for data in (b"\x00\x01garbage}\n", b"[" * (1 << 20), b'{"execute": "gu',
                 b'{"execute": 5}\n', b"\xff" * 100):
        host.agent.send(data)
        host.agent.sync(30)
    error = host.error_of("guest-nope")
    check_equal(error.klass, "CommandNotFound")
    check_equal(error.desc, "The command guest-nope has not been found")
    error = host.error_of("guest-sync", {"id": "7"})
    check_equal(error.desc, "Invalid parameter type for 'id',"
                            " expected: integer")
    check_equal(host.main_pid("kfreezed"), pid)


@SUITE.test
def answers_while_a_hook_runs(host):
    host.guest.run("mkfifo /run/hook.fifo")
    host.guest.push(f"{HOOK_DIR}/10-waits", "#!/bin/sh\n"
                    '[ "$1" = thaw ] || read -r line </run/hook.fifo\n', 0o755)
    host.agent.send_command("guest-fsfreeze-freeze", ident="freeze")
    check_equal(host.agent.call("guest-ping", timeout=10), {})
    host.status()
    host.guest.run("echo >/run/hook.fifo; rm /run/hook.fifo")
    check_equal(host.agent.wait_result(30, "freeze"), EVERYTHING)
    check_equal(host.thaw(), EVERYTHING)


@SUITE.test
def hanging_hook_passes_its_limit(host):
    host.guest.push(CONFIG, "[hooks]\ntimeout = 2\n")
    host.guest.push(f"{HOOK_DIR}/10-hangs", "#!/bin/sh\n"
                    '[ "$1" = thaw ] || exec sleep 1000\n', 0o755)
    host.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    host.agent.sync(30)
    check_equal(host.freeze(), EVERYTHING)
    check_equal(host.thaw(), EVERYTHING)
    host.guest.run("grep -q 10-hangs /var/log/qga-fsfreeze-hook.log")
    check_equal(host.guest.run("pgrep -x sleep", check=False).out, "")


@SUITE.test
def frozen_means_quiet(host):
    """No open, no write to a file or the journal, no exec while frozen."""
    check_equal(host.freeze(), EVERYTHING)
    pids = [host.main_pid(unit) for unit in ("kfreezed", "kfreeze-monitor")]
    children = host.guest.run(f"pgrep -P {pids[1]}", check=False).out.split()
    pids = " ".join(f"-p {pid}" for pid in [*pids, *children])
    strace = host.guest.spawn(f"echo $$; exec strace -f -yy -s 64 {pids}"
                              " -o /run/trace")
    wanted = pids.count("-p")
    check(host.guest.pump(lambda: strace.err.count("attached") >= wanted
                          or strace.code is not None, 20), strace.err)
    check_equal(strace.code, None)
    host.agent.sync(20)
    check_equal(host.agent.call("guest-ping"), {})
    check_equal(host.status(), "frozen")
    host.error_of("guest-fsfreeze-freeze")
    host.guest.run(f"kill -INT {strace.out.split()[0]}")
    check(strace.wait(20), "strace goes on")
    trace = host.guest.run("cat /run/trace").out
    check_equal(host.thaw(), EVERYTHING)
    check("guest-ping" in trace, trace)
    check_equal([line for line in trace.splitlines() if is_loud(line)], [])


QUIET_FDS = re.compile(r"\d+<(/dev/vport|/dev/virtio-ports/|NETLINK:|anon_inode"
                       r"|UNIX-SEQPACKET:|pipe:|socket:|UNIX-STREAM:)")
LOUD_CALLS = re.compile(
    r"(open|openat|openat2|creat|exec\w*|fork|vfork|clone3?|mkdir\w*|unlink\w*"
    r"|rename\w*|link\w*|symlink\w*|f?truncate|f?sync|fdatasync|mount)\(")
COMPLAINTS = re.compile(r"^.*(?:BUG:|WARNING:|Oops|blocked for more than"
                        r"|refusing to freeze|soft lockup).*$", re.M)
WRITE_CALLS = re.compile(r"(p?writev?\w*|send\w*)\(")


def is_loud(line):
    """One line of strace -f -yy -o: a pid, then a call."""
    call = line.split(None, 1)[1] if " " in line else line
    write = WRITE_CALLS.match(call)
    if write:
        return not QUIET_FDS.match(call[write.end():]) or "journal" in call
    return bool(LOUD_CALLS.match(call))


@SUITE.test
def module_comes_and_goes(host):
    """The next freeze takes what is better; one under way stays as it is."""
    if host.backend == "kmod":
        host.guest.run("rmmod kfreeze")
    check_equal(host.freeze(), EVERYTHING)
    host.guest.run("modprobe --ignore-install kfreeze")
    check_equal(host.thaw(), EVERYTHING)
    check_equal(host.last_cycle()["backend"], "ioctl")
    check("vfat" in host.last_cycle()["backend-weaker"], host.last_cycle())
    check_equal(host.freeze(), EVERYTHING)
    check(host.guest.run("rmmod kfreeze", check=False).code, "it was unloaded")
    check_equal(host.thaw(), EVERYTHING)
    check_equal(host.last_cycle()["backend"], "kmod")
    check("backend-weaker" not in host.last_cycle(), host.last_cycle())
    if host.backend == "ioctl":
        host.guest.run("rmmod kfreeze")


@SUITE.test
def log_lines_come_after_the_thaw(host):
    cursor = host.guest.run("journalctl -n 1 -o json --no-pager").out
    cursor = json.loads(cursor)["__CURSOR"]
    check_equal(host.freeze(), EVERYTHING)
    check_equal(host.thaw(), EVERYTHING)
    seen = host.guest.run(f"journalctl --sync; journalctl --after-cursor"
                          f" '{cursor}' --no-pager").out
    check("info: guest-fsfreeze called" in seen, seen)


@SUITE.test
def kernel_does_not_complain(host):
    """Last: of all the tests before it."""
    log = host.guest.run("dmesg").out
    check_equal(COMPLAINTS.findall(log), [])


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        guest = Guest("guest", kernel=options.kernel, timeout=options.timeout,
                      install=work / "install", module=module, qmp=True,
                      disks=[make_disk(work / "a"), make_disk(work / "b")])
        with guest:
            guest.crash()           # wait_boot() must get over it
            guest.wait_boot()
            for device, directory in zip("cd", DIRECTORIES):
                guest.run(f"mkdir {directory} && mount /dev/vd{device}"
                          f" {directory} && date >{directory}/data")
            guest.run("date >/srv/data && modprobe unix_diag")
            host = Host(guest)
            yield "kmod.", host, Host.reset
            without_module(host)
            yield "ioctl.", host, Host.reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
