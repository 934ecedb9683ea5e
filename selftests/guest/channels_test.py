#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Every way from the host to kfreezed, and what happens to it: hosts that come
and go, ports that are unplugged, a QEMU that ends and another that goes on."""

import json
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import AGENT_PORT, PROGRAMS, Guest, build_product
from guest_dir import work_dir
from guest_host import CONFIG, Host, by_ioctl, check, check_equal
from guest_suite import Suite
from qemu import VMError
from qga_client import AgentClient

MANUAL = Path(__file__).parents[2] / "daemon/man/kfreezed.8"
QGA_CONFIG = "/etc/qemu/qemu-ga.conf"
UNIT = "/etc/systemd/system/kfreezed.service"
CLIENT = f"{PROGRAMS}/stream_client"
IDLE_S = 3              # how long wake-ups are counted
SUITE = Suite(__doc__, timeout=900)


class Channels(Host):
    serial = None       # a socket to what is ttyS1 in the guest

    def start_by_hand(self, name, options, extra=""):
        """As root, by a command line: a service of that name."""
        self.guest.run(f"systemd-run -q --unit={name} -p Type=notify {extra}"
                       f" kfreezed {options}", 60)

    def wakeups(self, pid):
        """How often the process was woken, and the CPU time in ticks."""
        out = self.guest.run(f"cat /proc/{pid}/status /proc/{pid}/stat").out
        switches = [int(line.split()[1]) for line in out.splitlines()
                    if line.startswith("voluntary_ctxt_switches")][0]
        stat = out.splitlines()[-1].rsplit(")", 1)[1].split()
        return switches, int(stat[11]) + int(stat[12])

    def count_wakeups(self, pid):
        before = self.wakeups(pid)
        self.guest.run(f"sleep {IDLE_S}", IDLE_S + 20)
        return tuple(after - first for after, first
                     in zip(self.wakeups(pid), before))

    def check_idle(self, unit):
        """What has just happened may reach it late: not in the first count."""
        pid = self.main_pid(unit)
        counts = [self.count_wakeups(pid) for _ in range(2)]
        check_equal(counts[1], (0, 0))

    def ask(self, address, *lines):
        """Lines of a client in the guest; returns the replies."""
        text = "".join(line + "\n" for line in lines)
        out = self.guest.run(f"printf %s '{text}' | {CLIENT} {address}").out
        return [json.loads(line) for line in out.splitlines()]


PING = '{"execute":"guest-ping"}'
STATUS = '{"execute":"guest-fsfreeze-status"}'
FREEZE = '{"execute":"guest-fsfreeze-freeze"}'
THAW = '{"execute":"guest-fsfreeze-thaw"}'


@SUITE.test
def nobody_there_costs_nothing(channels):
    pid = channels.main_pid("kfreezed")
    channels.agent.close()
    channels.check_idle("kfreezed")
    channels.agent = channels.guest.agent()
    channels.agent.sync(30)
    channels.check_idle("kfreezed")
    check_equal(channels.main_pid("kfreezed"), pid)


@SUITE.test
def hosts_come_and_go(channels):
    """Ten of them, each leaving half a command and a question behind."""
    pid = channels.main_pid("kfreezed")
    for number in range(10):
        channels.agent.send(PING.encode() + b"\n" + b'{"execute": "guest-')
        channels.reconnect()
        channels.agent.sync(30)
        channels.agent.send_command("guest-ping", ident=number)
        reply = channels.agent.read_reply(30)
        check_equal(reply, {"return": {}, "id": number})
    check_equal(channels.main_pid("kfreezed"), pid)


@SUITE.test
def late_reply_does_not_reach_the_next_host(channels):
    channels.agent.send_command("guest-fsfreeze-freeze", ident="old")
    channels.reconnect()
    channels.agent.sync(60)
    while channels.status() != "frozen":
        pass
    channels.agent.send_command("guest-ping", ident="new")
    check_equal(channels.agent.read_reply(30)["id"], "new")
    check_equal(channels.thaw(), 1)


@SUITE.test
def late_reply_does_not_reach_a_host_without_hello(channels):
    """The one before said hello, and left at once, but long ago."""
    channels.agent.sync(30)
    channels.agent.send_command("guest-fsfreeze-freeze", ident="old")
    channels.agent.close()
    channels.guest.run(f"sleep {IDLE_S}", IDLE_S + 20)
    channels.agent = channels.guest.agent()
    channels.agent.send_command("guest-ping", ident="new")
    check_equal(channels.agent.read_reply(30)["id"], "new")
    check_equal(channels.thaw(), 1)


@SUITE.test
def unplugged_port_is_waited_for(channels):
    """By an agent that systemd does not stop and start with it."""
    channels.guest.run("systemctl stop kfreezed", 60)
    channels.start_by_hand("waits", "--retry-path")
    channels.agent.sync(60)
    pid = channels.main_pid("waits")
    number = list(channels.guest.ports).index(AGENT_PORT)
    for _ in range(2):
        channels.guest.qmp("device_del", id=f"vport{number}")
        channels.agent.close()
        channels.guest.run("udevadm settle")
        # it looks for the port once a second
        woken, _ = channels.count_wakeups(pid)
        check(woken <= 2 * IDLE_S + 2, woken)
        channels.guest.qmp("device_add", driver="virtserialport",
                           name=AGENT_PORT, id=f"vport{number}",
                           chardev=f"port{number}")
        channels.agent = channels.guest.agent()
        channels.agent.sync(60)
        check_equal(channels.agent.call("guest-ping"), {})
    check_equal(channels.main_pid("waits"), pid)


@SUITE.test
def isa_serial(channels):
    channels.guest.run("systemctl stop kfreezed", 60)
    channels.start_by_hand("serial", "-m isa-serial -p /dev/ttyS1")
    agent = AgentClient(channels.guest.connect_to(channels.serial))
    agent.sync(60)
    check_equal(agent.call("guest-ping"), {})
    check_equal(agent.call("guest-fsfreeze-freeze", timeout=60), 1)
    agent.send(b'{"execute": "guest-fsfree')
    agent.close()
    agent = AgentClient(channels.guest.connect_to(channels.serial))
    agent.sync(60)
    check_equal(agent.call("guest-fsfreeze-status"), "frozen")
    check_equal(agent.call("guest-fsfreeze-thaw", timeout=60), 1)
    agent.close()
    channels.check_idle("serial")


def check_listener(channels, address):
    """Two clients, one after the other; the first leaves half a command."""
    replies = channels.ask(address, PING, FREEZE, STATUS)
    check_equal([reply["return"] for reply in replies[:1]], [{}])
    replies = channels.ask(address, STATUS, PING)
    check_equal([reply["return"] for reply in replies], ["frozen", {}])
    check_equal(channels.ask(address, THAW)[0]["return"], 1)


@SUITE.test
def unix_listen(channels):
    channels.start_by_hand("listens", "-m unix-listen -p /run/agent.sock")
    check_listener(channels, "/run/agent.sock")
    channels.check_idle("listens")


@SUITE.test
def vsock_listen(channels):
    channels.guest.run("modprobe vsock_loopback")
    channels.start_by_hand("vsock", "-m vsock-listen -p 4294967295:1234")
    check_listener(channels, "1:1234")
    channels.check_idle("vsock")


def follow_manual(channels, method, path):
    """What the manual says of another channel for the shipped unit."""
    section = MANUAL.read_text().split(".SH OTHER CHANNELS\n")[1]
    section = section.split("\n.SH ")[0].replace("\\e", "\\")
    copy, *drop_ins, start = re.findall(r"\.nf\n(.*?)\.fi\n", section, re.S)
    channels.guest.run("systemctl stop kfreezed", 60)
    channels.guest.run(copy)
    channels.guest.push(f"{UNIT}.d/channel.conf",
                        drop_ins[method == "vsock-listen"])
    channels.guest.push(QGA_CONFIG, f"[general]\nmethod={method}\n"
                                    f"path={path}\n")
    channels.guest.run(start, 60)
    check("kfreezed" in channels.guest.run(
        "ls /etc/systemd/system/multi-user.target.wants").out, "not enabled")


@SUITE.test
def isa_serial_of_the_unit(channels):
    follow_manual(channels, "isa-serial", "/dev/ttyS1")
    agent = AgentClient(channels.guest.connect_to(channels.serial))
    agent.sync(60)
    check_equal(agent.call("guest-fsfreeze-freeze", timeout=60), 1)
    check_equal(agent.call("guest-fsfreeze-thaw", timeout=60), 1)
    agent.close()


@SUITE.test
def vsock_listen_of_the_unit(channels):
    channels.guest.run("modprobe vsock_loopback")
    follow_manual(channels, "vsock-listen", "4294967295:1234")
    check_listener(channels, "1:1234")


@SUITE.test
def socket_activation(channels):
    channels.start_by_hand("activated", "", "--socket-property="
                           "ListenStream=/run/activated.sock")
    check_listener(channels, "/run/activated.sock")
    channels.start_by_hand("activated2", "", "--socket-property="
                           "ListenStream=vsock::1235")
    check_listener(channels, "1:1235")


def wait_migrated(guest):
    while (status := guest.qmp("query-migrate")["status"]) != "completed":
        check(status in ("setup", "active", "device"), status)
        time.sleep(0.1)


@SUITE.test
def another_qemu_goes_on(channels):
    """The guest does not notice: its freeze is whole, so its agent is the same
    process."""
    guest = channels.guest
    guest.push(CONFIG, "[general]\ntimeout = 120\n")
    guest.run("systemctl restart kfreezed kfreeze-monitor", 60)
    channels.agent.sync(60)
    check_equal(channels.freeze(), 1)
    state = guest.dir / "state"
    guest.qmp("migrate", uri=f"exec:cat >{state}")
    wait_migrated(guest)
    channels.agent.close()
    guest.restart(["-incoming", f"exec:cat {state}"])
    channels.agent = guest.agent()
    channels.agent.sync(60)
    check_equal(channels.status(), "frozen")
    check_equal(channels.thaw(), 1)
    check_equal(channels.agent.call("guest-ping"), {})
    check_equal(channels.freeze(), 1)
    check_equal(channels.thaw(), 1)


SUITE.test(by_ioctl(another_qemu_goes_on))


class Restartable(Guest):
    """Its QEMU can be replaced; the directory stays, and the disks do."""

    _ended = ()

    def connect_to(self, path):
        return self._connect(path, 10)

    def restart(self, more):
        try:
            self.qmp("quit")
        except (VMError, OSError):
            pass                # it may be gone before it has answered
        self.wait(30)
        self._ended += (self._keeper,)  # they hold the directory
        self._qmp.close()
        self._qmp, self.status = None, None
        self._sock.close()
        argv = self.argv
        self.argv = argv + more
        self.start()
        self.argv = argv

    def stop(self):
        super().stop()
        for keeper in self._ended:
            keeper.communicate()


def reset(channels):
    channels.guest.run("systemctl stop waits serial listens vsock activated"
                       " activated2 activated.socket activated2.socket;"
                       " systemctl reset-failed", 60, check=False)
    channels.guest.run(f"systemctl disable -q --now kfreezed; rm -rf {UNIT}"
                       f" {UNIT}.d {QGA_CONFIG}; systemctl daemon-reload", 60,
                       check=False)
    channels.reset()


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        serial = work / "serial"
        guest = Restartable(
            "channels", kernel=options.kernel, timeout=options.timeout,
            install=work / "install", module=module, qmp=True,
            root=work / "root",
            programs=[Path(__file__).with_name("stream_client.c")],
            extra=["-chardev", f"socket,id=isa,path={serial},server=on,wait=off",
                   "-serial", "chardev:isa"])
        with guest:
            guest.wait_boot()
            channels = Channels(guest)
            channels.serial = serial
            yield "", channels, reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
