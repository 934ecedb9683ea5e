#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What libvirt, Proxmox VE, KubeVirt and vdsm send, byte for byte, to Debian's
qemu-ga and to kfreezed in the same guest. What the client reads of the replies
must be the same, but for what DIFFERENCES names and kfreezed.8 explains.
The guest is Debian 12, which has qemu-ga 7.2; that of --image mysql is Debian
unstable, which has 11.x."""

import itertools
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import PROGRAMS, TOP, Guest, build_product
from guest_dir import work_dir
from guest_host import DIRECTORIES, check, check_equal
from guest_suite import Suite
from qemu import Disk

MANUAL = TOP / "daemon/man/kfreezed.8"
STOCK = "qemu-guest-agent"
SUITE = Suite(__doc__, images=("base", "mysql"))

# What a client reads differently, and the words of the manual that say why.
DIFFERENCES = {
    "libvirt: guest-exec": "Commands that give the host a shell",
    "kubevirt: version": "The version is that of",
    "vdsm: version": "The version is that of",
}
# Those to an old one only.
DIFFERENCES_FROM_7 = {
    "libvirt: freeze while frozen": "the agent is in frozen state",
    "libvirt: set an unknown vcpu": "A processor that is not there",
    "later: guest-get-load": "do not exist",
    "later: guest-network-get-route": "do not exist",
}


class Line:
    """One end of the port: bytes in both directions, one reply per line."""

    def __init__(self, guest):
        self._guest = guest
        self._sock = None
        self._input = b""

    def reconnect(self):
        self.close()
        self._sock = self._guest.connect("org.qemu.guest_agent.0")

    def close(self):
        if self._sock:
            self._sock.close()
        self._sock, self._input = None, b""

    def send(self, data):
        self._sock.settimeout(10)
        self._sock.sendall(data)

    def more(self, deadline):
        self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self._sock.recv(65536)
        check(data, "the channel was closed")
        self._input += data

    def read_line(self, timeout=60):
        deadline = time.monotonic() + timeout
        while b"\n" not in self._input:
            self.more(deadline)
        line, self._input = self._input.split(b"\n", 1)
        return line

    def read_match(self, pattern, timeout=60):
        """All that has come, once it matches."""
        deadline = time.monotonic() + timeout
        while not (match := re.match(pattern, self._input, re.S)):
            self.more(deadline)
        self._input = self._input[match.end():]
        return match


class Libvirt:
    """qemu_agent.c: guest-sync after a connect, then command by command."""

    def __init__(self, line):
        self.line = line
        self.line.reconnect()
        ident = int(time.time() * 1000)
        self.line.send(b'{"execute":"guest-sync", "arguments":{"id":%d}}\n'
                       % ident)
        while True:
            reply = self.parse(self.line.read_line())
            if reply.get("return") == ident:
                break

    @staticmethod
    def parse(line):
        """A 0xFF, or what is no object, would make it close the agent."""
        reply = json.loads(line)
        check(isinstance(reply, dict), line)
        check("return" in reply or "error" in reply, line)
        return reply

    def call(self, command, arguments=None):
        request = {"execute": command}
        if arguments is not None:
            request["arguments"] = arguments
        text = json.dumps(request, separators=(",", ":"))
        self.line.send(text.encode() + b"\n")
        return self.parse(self.line.read_line())


class Proxmox:
    """A connection per command; sync and command in one write."""

    _numbers = itertools.count(1)

    def __init__(self, line):
        self.line = line

    def call(self, command, arguments=None):
        self.line.reconnect()
        ident = int(f"4711{next(self._numbers):04d}")
        self.line.send(
            b'{"execute":"guest-sync-delimited","arguments":{"id":%d}}\n'
            b'{"arguments":%s,"execute":"%s"}\n'
            % (ident, json.dumps(arguments or {}).encode(), command.encode()))
        while True:
            match = self.line.read_match(
                rb"^.*\xff([^\n]+}\r?\n[^\n]+})\r?\n")
            sync, reply = match.group(1).split(b"\n")
            got = json.loads(sync)["return"]
            check(got <= ident, got)
            if got == ident:
                self.line.close()
                return json.loads(reply)


def value(reply):
    return reply.get("return", reply)


def error(reply):
    return reply["error"]["class"], reply["error"]["desc"]


def enabled(*names):
    """Which of the commands that the client needs it may use."""
    def read(reply):
        commands = {command["name"]: command["enabled"] for command
                    in reply["return"]["supported_commands"]}
        return {name: commands.get(name) for name in names}
    return read


def version(reply):
    return reply["return"]["version"]


def members(key, *names):
    """Of a list of objects: these members, in the order of one of them."""
    def read(reply):
        check("return" in reply, reply)
        return sorted(({name: element.get(name) for name in names}
                       for element in reply["return"]),
                      key=lambda element: str(element[key]))
    return read


def interfaces(reply):
    return [{**interface, "ip-addresses": sorted(
                json.dumps(address, sort_keys=True)
                for address in interface["ip-addresses"] or [])}
            for interface in members("name", "name", "hardware-address",
                                     "ip-addresses")(reply)]


def kind(reply):
    """Of what changes from one moment to the next."""
    return type(reply["return"]).__name__


def shape(value):
    """The members and types of a value that changes."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(element), sort_keys=True)
                       for element in value})
    return type(value).__name__


def shapes(reply):
    return shape(value(reply))


def routes(reply):
    """Flags are 32 bits, of which qemu-ga extends the sign."""
    if "error" in reply:
        return reply["error"]
    return sorted(json.dumps({**route, "flags": route["flags"] & 0xffffffff},
                             sort_keys=True) for route in reply["return"])


def trimmed(reply):
    return sorted((path["path"], path.get("error"))
                  for path in reply["return"]["paths"])


FREEZE, THAW = "guest-fsfreeze-freeze", "guest-fsfreeze-thaw"
STATUS, INFO = "guest-fsfreeze-status", "guest-info"
LIST = "guest-fsfreeze-freeze-list"
FSINFO = ("mountpoint", "mountpoint", "name", "type", "disk")

# What the client does in this order: label (the command), arguments, what it
# reads. A label with a blank is a command that comes twice.
LIBVIRT = [
    (FREEZE, None, value),
    ("freeze while frozen", None, error),
    (STATUS, None, value),
    (THAW, None, value),
    (STATUS, None, value),
    (LIST, {"mountpoints": [DIRECTORIES[0]]}, value),
    (THAW, None, value),
    (LIST, {"mountpoints": []}, value),
    (LIST, {"mountpoints": ["/no/such"]}, value),
    ("guest-get-fsinfo", None, members(*FSINFO)),
    ("guest-fstrim", {"minimum": 0}, trimmed),
    ("guest-get-host-name", None, value),
    ("guest-get-users", None, value),
    ("guest-get-osinfo", None, value),
    ("guest-get-timezone", None, value),
    ("guest-get-time", None, kind),
    ("guest-get-vcpus", None,
     members("logical-id", "logical-id", "online", "can-offline")),
    ("guest-set-vcpus", {"vcpus": [{"logical-id": 1, "online": False}]},
     value),
    ("guest-get-vcpus", None,
     members("logical-id", "logical-id", "online", "can-offline")),
    ("guest-set-vcpus", {"vcpus": [{"logical-id": 1, "online": True}]}, value),
    ("guest-set-vcpus", {"vcpus": [{"logical-id": 0, "online": False}]},
     error),
    ("set an unknown vcpu", {"vcpus": [{"logical-id": 99, "online": True}]},
     error),
    ("guest-set-vcpus", {"vcpus": [{"online": True}]}, error),
    ("guest-set-vcpus", {"vcpus": [{"logical-id": 0, "online": 1}]}, error),
    ("guest-get-memory-blocks", None,
     members("phys-index", "phys-index", "online", "can-offline")),
    ("guest-get-memory-block-info", None, value),
    ("guest-get-disks", None,
     members("name", "name", "partition", "dependencies")),
    ("guest-network-get-interfaces", None, interfaces),
    ("guest-shutdown", {"mode": "sideways"}, error),
    ("guest-nope", None, error),
    ("guest-exec", {}, error),
    ("guest-fsfreeze-freeze-list", {"mountpoints": "/"}, error),
    ("guest-fstrim", {"foo": 1}, error),
]
PROXMOX = [
    ("guest-ping", None, value),
    (STATUS, None, value),
    (FREEZE, None, value),
    (STATUS, None, value),
    ("guest-ping", None, value),
    (THAW, None, value),
    (THAW, None, value),        # always, even after a failed freeze
    ("guest-fstrim", None, trimmed),
    ("guest-network-get-interfaces", None, interfaces),
]
# Through libvirt, as QemuAgentCommand.
KUBEVIRT = [
    ("version", None, version),
    (INFO, None, enabled(
        "guest-ping", "guest-get-time", "guest-info", "guest-shutdown",
        "guest-network-get-interfaces", "guest-get-fsinfo",
        "guest-get-host-name", "guest-get-users", "guest-get-timezone",
        "guest-get-osinfo")),
    (STATUS, None, value),
    (FREEZE, None, value),
    (STATUS, None, value),
    (STATUS, None, value),
    (THAW, None, value),
    (STATUS, None, value),
    ("guest-ping", None, value),
    ("guest-get-fsinfo", None, members(*FSINFO, "total-bytes")),
    ("guest-get-users", None, value),
    ("guest-get-osinfo", None, value),
    ("guest-get-timezone", None, value),
    ("guest-get-host-name", None, value),
    ("guest-network-get-interfaces", None, interfaces),
]
VDSM = [
    ("version", None, version),
    (INFO, None, enabled(
        "guest-get-osinfo", "guest-get-host-name", "guest-get-timezone",
        "guest-get-users", "guest-network-get-interfaces", "guest-get-fsinfo",
        "guest-get-disks", "guest-get-vcpus")),
    (FREEZE, None, value),
    (THAW, None, value),
    (THAW, None, value),        # always
    ("guest-get-vcpus", None, members("logical-id", "logical-id", "online")),
    ("guest-get-disks", None, members("name", "name", "partition")),
]
# What no client of those asks yet, the last two since 7.2.
LATER = [
    ("guest-get-cpustats", None, shapes),
    ("guest-get-diskstats", None, shapes),
    ("guest-get-load", None, shapes),
    ("guest-network-get-route", None, routes),
]
# Addresses of both versions, an alias, a bond and what is in it, and one that
# is down. The loopback is up already.
NETWORK = f"""\
ip="{PROGRAMS}/busybox ip"
modprobe -a dummy bonding && echo +bond0 >/sys/class/net/bonding_masters
$ip link add dummy1 type dummy && $ip link add dummy2 type dummy
echo +dummy1 >/sys/class/net/bond0/bonding/slaves
$ip link set bond0 up
$ip addr add 192.0.2.1/24 dev bond0
$ip addr add 192.0.2.2/28 dev bond0 label bond0:1
$ip addr add 2001:db8::1/64 dev bond0
"""
CLIENTS = [("libvirt", Libvirt, LIBVIRT), ("proxmox", Proxmox, PROXMOX),
           ("kubevirt", Libvirt, KUBEVIRT), ("vdsm", Libvirt, VDSM),
           ("later", Libvirt, LATER)]
COMMANDS = {"freeze while frozen": FREEZE, "version": INFO,
            "set an unknown vcpu": "guest-set-vcpus"}


def replay(line, make, steps):
    client = make(line)
    return [read(client.call(COMMANDS.get(label, label), arguments))
            for label, arguments, read in steps]


def check_client(replies, name, steps):
    """Prints every difference before it fails."""
    wrong = seen = 0
    differences = dict(DIFFERENCES)
    if replies["version"].startswith("7."):
        differences.update(DIFFERENCES_FROM_7)
    for (label, arguments, _), stock, ours in zip(
            steps, replies[STOCK, name], replies["kfreezed", name]):
        if stock == ours:
            continue
        key = f"{name}: {label}"
        seen += key in differences
        if key not in differences:
            wrong += 1
            print(f"# {key} {arguments or ''}\n#   qemu-ga:  {stock!r}\n"
                  f"#   kfreezed: {ours!r}", flush=True)
    check_equal(wrong, 0)
    check_equal(seen, sum(key.startswith(f"{name}:") for key in differences))


def replies_agree(name, steps):
    def test(replies):
        check_client(replies, name, steps)
    test.__name__ = name
    return test


for client, _, its_steps in CLIENTS:
    SUITE.test(replies_agree(client, its_steps))


@SUITE.test
def manual_has_every_difference(_):
    text = re.sub(r"\\f.|\\", "", MANUAL.read_text()).replace("\n", " ")
    for key, words in {**DIFFERENCES, **DIFFERENCES_FROM_7}.items():
        check(words in text, (key, words))


def make_disk(path):
    with open(path, "wb") as disk:
        disk.truncate(64 << 20)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", path], check=True)
    return Disk(str(path), snapshot=False)


def collect(guest):
    """Each client against one agent, then against the other."""
    line = Line(guest)
    out = guest.run("qemu-ga --version").out
    print(f"# {out.strip()}", flush=True)
    replies = {"version": out.split()[-1]}
    for agent in (STOCK, "kfreezed"):
        other = STOCK if agent == "kfreezed" else "kfreezed"
        guest.run(f"systemctl mask --runtime --now {other}"
                  f" && systemctl unmask --runtime {agent}"
                  f" && systemctl start {agent}", 60)
        for name, make, steps in CLIENTS:
            replies[agent, name] = replay(line, make, steps)
    line.close()
    return replies


def run(options):
    with work_dir() as work:
        disks = [make_disk(work / "a"), make_disk(work / "b")]
        module = build_product(work / "install", options.kernel)
        programs = work / "install" / PROGRAMS.lstrip("/")
        programs.mkdir(parents=True)
        shutil.copy("/bin/busybox", programs)
        guest = Guest("replay", kernel=options.kernel, install=work / "install",
                      module=module, stock_agent=True, disks=disks,
                      image=options.image,
                      timeout=options.timeout)
        with guest:
            guest.wait_boot()
            for device, directory in zip("cd", DIRECTORIES):
                guest.run(f"mkdir {directory} && mount /dev/vd{device}"
                          f" {directory}")
            guest.run(NETWORK)
            yield "", collect(guest), lambda _: None


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
