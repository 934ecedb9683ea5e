# SPDX-License-Identifier: GPL-2.0
"""Launch QEMU so that it can neither outlive its caller nor its time limit.

    with VM("name", kernel=..., initrd=..., append=..., timeout=60) as vm:
        status = vm.wait()
        print(vm.console.read_text())
"""

import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

QEMU = "qemu-system-x86_64"
KEEPER = Path(__file__).with_name("keeper.py")
SOCKET_PATH_MAX = 107

# A stable TSC makes 6.12 and later patch sched_clock() while two processors
# run it; QEMU 7.2's TCG then sometimes goes on executing the breakpoint. What
# keeps a processor from speculating is a third of what TCG has to do. To clear
# pages takes it so long at times that the kernel's watchdog complains; rep movs
# and stos are slower than loops, which the kernel has without rep_good (112).
QUIRKS = {"tcg": "tsc=unstable mitigations=off init_on_alloc=0 clearcpuid=112"}
# After cmpxchg16b, which the kernel's allocator is built on, TCG of QEMU 7.2 may
# take an operand of an earlier instruction for the flags. An interrupt then
# returns with them: single steps, interrupts off, a double fault. The kernel
# does without where the processor has no such instruction.
CPUS = {"tcg": "qemu64,cx16=off", "kvm": "host"}
# What keeper.py says of a QEMU that did not end but broke.
CRASHES = [str(128 + number) for number in (
    signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL,
    signal.SIGFPE)]


def cache_dir():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(base) / "kfreeze"
    path.mkdir(parents=True, exist_ok=True)
    return path


class VMError(Exception):
    pass


@dataclass
class Disk:
    """One virtio disk; vda, vdb, ... in the order given."""
    path: str
    format: str = "raw"
    snapshot: bool = True       # writes go to a file that dies with the VM
    read_only: bool = False
    serial: str = ""
    bps_write: int = 0          # throttles, bytes per second, 0 is none
    bps_read: int = 0
    cache: str = "writeback"

    def args(self, index):
        drive = {
            "if": "none", "id": f"disk{index}", "file": self.path,
            "format": self.format, "snapshot": on_off(self.snapshot),
            "cache": self.cache, "read-only": on_off(self.read_only),
        }
        if self.bps_write:
            drive["throttling.bps-write"] = self.bps_write
        if self.bps_read:
            drive["throttling.bps-read"] = self.bps_read
        device = {"drive": f"disk{index}"}
        if self.serial:
            device["serial"] = self.serial
        return ["-drive", options("", drive),
                "-device", options("virtio-blk-pci", device)]


@dataclass
class Port:
    """One virtio-serial port: a unix socket of the host, or a log file."""
    name: str
    path: str = ""              # default: VM.dir/NAME
    file: bool = False          # write what the guest says to path

    def args(self, index, directory):
        path = self.path or str(directory / self.name)
        if self.file:
            chardev = options("file", {"id": f"port{index}", "path": path})
        else:
            check_socket_path(path)
            chardev = options("socket", {"id": f"port{index}", "path": path,
                                         "server": "on", "wait": "off"})
        port = {"chardev": f"port{index}", "name": self.name,
                "id": f"vport{index}"}
        return ["-chardev", chardev,
                "-device", options("virtserialport", port)]


def on_off(flag):
    return "on" if flag else "off"


def options(head, pairs):
    """QEMU's option syntax, where a comma in a value is written twice."""
    words = [head] if head else []
    for key, value in pairs.items():
        words.append(f"{key}=" + str(value).replace(",", ",,"))
    return ",".join(words)


def check_socket_path(path):
    if len(os.fsencode(str(path))) > SOCKET_PATH_MAX:
        raise VMError(f"{path}: too long for a socket; set XDG_CACHE_HOME"
                      " to a shorter path")


def runs_at_speed(accel, cpu, loops=1 << 24):
    """Does a virtual CPU get through so many loops in two seconds?

    One of the host's needs a tenth of that, QEMU's start included.  The code
    is at the reset vector: mov ecx, loops; 1: dec ecx; jnz 1b; mov al, 42;
    out 0xf4, al; hlt.  The debug port turns that into exit status 42 * 2 + 1.
    """
    code = (bytes.fromhex("66b9") + loops.to_bytes(4, "little") +
            bytes.fromhex("664975fcb02ae6f4f4"))
    with tempfile.NamedTemporaryFile() as rom:
        rom.write(bytes(0xfff0) + code.ljust(16, b"\0"))
        rom.flush()
        try:
            probe = subprocess.run(
                [QEMU, "-accel", accel, "-cpu", cpu, "-nodefaults",
                 "-no-user-config", "-display", "none", "-m", "16",
                 "-bios", rom.name,
                 "-device", "isa-debug-exit,iobase=0xf4,iosize=1"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=2, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
    return probe.returncode == 85


@functools.lru_cache(maxsize=None)
def accelerator():
    """kvm if it is of use, else tcg.

    /dev/kvm may open and yet execute nothing (nested, filtered MSRs), or every
    instruction by a program of the host, so that no kernel ever boots.
    """
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    return "kvm" if runs_at_speed("kvm", CPUS["kvm"]) else "tcg"


def machine_args(accel, smp, memory):
    return ["-accel", accel, "-cpu", CPUS[accel],
            "-smp", str(smp), "-m", str(memory), "-nodefaults",
            "-no-user-config", "-display", "none", "-no-reboot",
            "-device", "virtio-rng-pci"]


def tail(path, lines=20):
    """The last lines of a log, or "" if there is none."""
    try:
        text = Path(path).read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def children(pid):
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text().split()]


class VM:
    """A virtual machine; use it as a context manager, or start() and stop().

    VM.dir with its logs and sockets is gone after stop().
    The time limit runs from start() and needs nobody to watch it.
    """

    def __init__(self, name, *, kernel=None, initrd=None, append="",
                 disks=(), ports=(), serials=1, memory=1024, smp=2,
                 timeout=300, qmp=False, accel=None, extra=()):
        self.name = name
        self.timeout = timeout
        self.status = None      # what keeper.py says once QEMU is gone
        self._keeper = None
        self._qmp = None
        runs = cache_dir() / "run"
        runs.mkdir(exist_ok=True)
        self.dir = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=runs))
        self.serials = [self.dir / f"serial{n}.log" for n in range(serials)]
        self.console = self.serials[0]
        self.ports = {port.name: Path(port.path or self.dir / port.name)
                      for port in ports}
        try:
            self._make_argv(kernel, initrd, append, disks, ports, memory,
                            smp, qmp, accel or accelerator(), extra)
        except BaseException:
            self.stop()
            raise

    def _make_argv(self, kernel, initrd, append, disks, ports, memory,
                   smp, qmp, accel, extra):
        self.argv = [QEMU, "-name", self.name,
                     *machine_args(accel, smp, memory)]
        if kernel:
            self.argv += ["-kernel", str(kernel),
                          "-append", f"{append} {QUIRKS.get(accel, '')}"]
        if initrd:
            self.argv += ["-initrd", str(initrd)]
        for path in self.serials:
            self.argv += ["-serial", f"file:{path}"]
        for index, disk in enumerate(disks):
            self.argv += disk.args(index)
        if ports:
            self.argv += ["-device", "virtio-serial-pci"]
        for index, port in enumerate(ports):
            self.argv += port.args(index, self.dir)
        if qmp:
            check_socket_path(self.dir / "qmp")
            self.argv += ["-qmp", f"unix:{self.dir}/qmp,server=on,wait=off"]
        self.argv += [str(word) for word in extra]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        for path in self.serials:   # there, whatever becomes of QEMU
            path.write_bytes(b"")
        with open(self.dir / "qemu.log", "wb") as log:
            self._keeper = subprocess.Popen(
                [sys.executable, str(KEEPER), str(self.timeout),
                 str(self.dir), *self.argv],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,     # Ctrl-C reaches us, not QEMU
                env=dict(os.environ, TMPDIR=str(self.dir)))
        return self

    def stop(self):
        """Kill QEMU if it still runs; remove VM.dir.  May be repeated."""
        self._end()
        shutil.rmtree(self.dir, ignore_errors=True)

    def restart(self):
        """Kill QEMU if it still runs, and start() as if it never had."""
        self._end(b"keep")
        self.status = None
        self.start()

    def _end(self, last_words=b""):
        if self._qmp:
            self._qmp.close()
            self._qmp = None
        if self._keeper:
            self._keeper.communicate(last_words)
            self._keeper = None

    def wait(self, timeout=None):
        """Wait for QEMU to end; return its status, or None if it still runs.

        The status is a string: "0", "1", ..., or "timeout".
        """
        if self.status is None:
            pipe = self._keeper.stdout
            if select.select([pipe], [], [], timeout)[0]:
                self.status = pipe.readline().decode().strip() or "lost"
        return self.status

    def has_crashed(self):
        """Is QEMU gone by a fault of its own?  Its sockets end before it."""
        return self.wait(2) in CRASHES

    def crash(self):
        """For tests: break QEMU as a fault of its own would."""
        os.kill(children(self._keeper.pid)[0], signal.SIGSEGV)

    def is_running(self):
        return self.wait(0) is None

    def check_running(self):
        if not self.is_running():
            raise self.error("is gone")

    def error(self, what):
        """A VMError that says which VM, what, and what it printed last."""
        status = f" (status {self.status})" if self.status else ""
        lines = [f"{self.name}: {what}{status}"]
        for log in (self.dir / "qemu.log", self.console):
            text = tail(log)
            if text:
                lines += [f"{log}: the last lines:", text]
        return VMError("\n".join(lines))

    def connect(self, port, timeout=10):
        """A connected socket to the host side of a virtio-serial port."""
        return self._connect(self.ports[port], timeout)

    def _connect(self, path, timeout):
        """QEMU makes its sockets while it starts: wait for that."""
        deadline = time.monotonic() + timeout
        while True:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.connect(str(path))
                return sock
            except (FileNotFoundError, ConnectionRefusedError):
                sock.close()
            if self.wait(0.02) is not None:
                raise self.error(f"ended before {path} could be opened")
            if time.monotonic() > deadline:
                raise self.error(f"{path}: nobody listens")

    def qmp(self, command, **arguments):
        """Run one QMP command; return its value."""
        if not self._qmp:
            sock = self._connect(self.dir / "qmp", 10)
            sock.settimeout(30)
            self._qmp = sock.makefile("rwb")
            sock.close()        # the file keeps the connection
            self._qmp.readline()
            self._qmp_call("qmp_capabilities", {})
        return self._qmp_call(command, arguments)

    def _qmp_call(self, command, arguments):
        request = {"execute": command, "arguments": arguments}
        self._qmp.write(json.dumps(request).encode() + b"\n")
        self._qmp.flush()
        for line in self._qmp:
            reply = json.loads(line)
            if "error" in reply:
                raise VMError(f"{self.name}: {command}: "
                              f"{reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise self.error(f"{command}: QMP connection closed")
