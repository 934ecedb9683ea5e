# SPDX-License-Identifier: GPL-2.0
"""A Debian 12 guest under systemd, with commands run over a virtio port.

    with Guest("name", kernel="6.1", payload=[Path("stage")]) as guest:
        guest.wait_boot()
        print(guest.run("uname -r").out)

The root image stays as it is: writes go to a copy which dies with the guest.
"""

import base64
import io
import os
import shlex
import shutil
import struct
import subprocess
import tarfile
import time
from pathlib import Path
from typing import NamedTuple

from qemu import VM, Disk, Port, VMError
from qga_client import AgentClient

HERE = Path(__file__).parent
TOP = HERE.parent.parent
EXEC_PORT = "kfreeze.test"
AGENT_PORT = "org.qemu.guest_agent.0"
STOCK_AGENT = "qemu-guest-agent.service"     # masked in the image
STOCK_UNIT = "etc/systemd/system/" + STOCK_AGENT
# As in guest_exec.c.
MSG_HELLO, MSG_RUN, MSG_KILL, MSG_STDOUT, MSG_STDERR, MSG_EXIT = range(1, 7)
HEADER = struct.Struct("=III")

PROGRAMS = "/usr/lib/kfreeze-test"

EXEC_UNIT = f"""\
[Unit]
Description=Commands of the test's host
BindsTo=dev-virtio\\x2dports-{EXEC_PORT}.device
After=dev-virtio\\x2dports-{EXEC_PORT}.device
[Service]
ExecStart={PROGRAMS}/guest_exec /dev/virtio-ports/{EXEC_PORT}
StandardOutput=null
OOMScoreAdjust=-1000
"""
EXEC_RULE = f"""\
SUBSYSTEM=="virtio-ports", ATTR{{name}}=="{EXEC_PORT}", TAG+="systemd", \
ENV{{SYSTEMD_WANTS}}="kfreeze-test.service"
"""


class CommandError(Exception):
    pass


class Job:
    """A command in the guest; code is None while it runs."""

    def __init__(self, guest, ident, command):
        self._guest = guest
        self.ident = ident
        self.command = command
        self.code = None
        self._out = bytearray()
        self._err = bytearray()

    @property
    def out(self):
        return self._out.decode(errors="replace")

    @property
    def err(self):
        return self._err.decode(errors="replace")

    @property
    def nr_lines(self):
        """How many lines of output there are, also when they are many."""
        return self._out.count(b"\n")

    def feed(self, kind, payload):
        if kind == MSG_STDOUT:
            self._out += payload
        elif kind == MSG_STDERR:
            self._err += payload
        elif kind == MSG_EXIT:
            self.code, = struct.unpack("=I", payload)

    def wait(self, timeout):
        """True once it has ended; False if it still runs after timeout."""
        return self._guest.pump(lambda: self.code is not None, timeout)

    def kill(self):
        self._guest.send(MSG_KILL, self.ident)


def output_of(*argv):
    return subprocess.run([str(word) for word in argv], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


class Payload:
    """The tar archive that the guest's initrd unpacks onto its root."""

    def __init__(self, path):
        self._tar = tarfile.open(path, "w")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._tar.close()

    def add_text(self, name, text):
        info = tarfile.TarInfo(self._merged(name))
        data = text.encode()
        info.size, info.mtime = len(data), time.time()
        self._tar.addfile(info, io.BytesIO(data))

    def add_link(self, name, target):
        info = tarfile.TarInfo(self._merged(name))
        info.type, info.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(info)

    def add_tree(self, top):
        """All below top; most directories come into being with a file."""
        for path in sorted(top.rglob("*")):
            if (path.is_symlink() or not path.is_dir()
                    or not any(path.iterdir())):
                self._tar.add(path, self._merged(path.relative_to(top)),
                              recursive=False, filter=self._owned_by_root)

    @staticmethod
    def _owned_by_root(info):
        info.uid = info.gid = 0
        info.uname = info.gname = "root"
        return info

    @staticmethod
    def _merged(name):
        """Debian 12's /bin, /lib and /sbin are links into /usr."""
        name = str(name)
        if name.split("/")[0] in ("bin", "lib", "sbin"):
            return f"usr/{name}"
        return name


class System(NamedTuple):
    """What a guest boots."""
    image: str          # of the root filesystem
    kernel: Path        # a directory as kernel.sh fetch prints it
    has_modules: bool   # those of the kernel, in the image


class Guest(VM):
    """install: a directory tree (make install DESTDIR=) to lay over the root.

    module: path of a kfreeze.ko for this kernel.  root: where to put the root
    disk if the caller wants to read it; else it is a snapshot that dies with
    the VM.  programs: C files to have in PROGRAMS, without the suffix.
    stock_agent: serve the agent port by Debian's qemu-ga.
    disks: the third disk (vdc) and so on.  image: of guest_image.sh.  system:
    to boot instead of that and kernel.  append: to the kernel's command line.
    """

    def __init__(self, name, *, kernel="6.1", install=None, module=None,
                 root="", programs=(), stock_agent=False, disks=(), ports=(),
                 image="base", system=None, append="", **options):
        system = system or System(
            output_of(HERE / "guest_image.sh", image),
            Path(output_of(HERE / "kernel.sh", "fetch", kernel)), False)
        boot = Path(output_of(HERE / "guest_boot.sh", system.kernel))
        self.release = (system.kernel / "release").read_text().strip()
        self._input = b""
        self._sock = None
        self._jobs = {}
        self._last_id = 0
        self._hello = False
        self.linux = {"kernel": system.kernel / "vmlinuz",
                      "initrd": boot / "initrd",
                      "append": f"console=ttyS0 quiet {append}"}
        super().__init__(
            name, **self.linux,
            ports=[Port(EXEC_PORT), Port(AGENT_PORT), *ports], **options)
        payload = self.dir / "payload.tar"
        with Payload(payload) as tar:
            if not system.has_modules:
                self._add_modules(tar, boot, module)
            self._add_programs(tar, [HERE / "guest_exec.c", *programs])
            if install:
                tar.add_tree(Path(install))
            if stock_agent:
                tar.add_link(STOCK_UNIT, "/lib/systemd/system/" + STOCK_AGENT)
        if root:
            output_of("cp", "--reflink=auto", "--sparse=always", system.image,
                      root)
        first = [Disk(str(root or system.image), snapshot=not root,
                      serial="root"),
                 Disk(str(payload), snapshot=False, read_only=True)]
        self.disks = [*first, *disks]
        for index, disk in enumerate(self.disks):
            self.argv += disk.args(index)

    def _add_modules(self, tar, boot, module):
        stage = self.dir / "stage"
        output_of("cp", "-a", "--reflink=auto", boot, stage)
        (stage / "initrd").unlink()
        modules = stage / "usr/lib/modules" / self.release
        if module:
            (modules / "updates").mkdir()
            shutil.copy(module, modules / "updates" / "kfreeze.ko")
            tar.add_text("usr/lib/modules-load.d/kfreeze.conf",
                         (TOP / "kmod/modules-load.conf").read_text())
        output_of("depmod", "-b", stage / "usr", self.release)
        tar.add_tree(stage)
        shutil.rmtree(stage)

    def _add_programs(self, tar, programs):
        stage = self.dir / "stage"
        (stage / PROGRAMS.lstrip("/")).mkdir(parents=True)
        for source in programs:
            compile_static(source, f"{stage}{PROGRAMS}/{source.stem}")
        tar.add_tree(stage)
        tar.add_text("etc/systemd/system/kfreeze-test.service", EXEC_UNIT)
        tar.add_text("etc/udev/rules.d/99-kfreeze-test.rules", EXEC_RULE)
        shutil.rmtree(stage)

    def start(self):
        super().start()
        self._sock = self.connect(EXEC_PORT)
        return self

    def stop(self):
        if self._sock:
            self._sock.close()
            self._sock = None
        super().stop()

    def agent(self):
        """A client connected to the host side of the agent port."""
        return AgentClient(self.connect(AGENT_PORT))

    def wait_boot(self, timeout=180):
        """QEMU may break, as in run.py; what gets stuck may be the product."""
        try:
            self._wait_hello(timeout)
        except VMError:
            if not self.has_crashed():
                raise
            print(f"# {self.name}: nothing heard of it: booting once more"
                  f" (QEMU: {self.status})", flush=True)
            self._sock.close()
            self._input = b""
            self.restart()
            self._wait_hello(timeout)
        self.run("systemctl is-system-running --wait", timeout, check=False)

    def _wait_hello(self, timeout):
        if not self.pump(lambda: self._hello, timeout):
            raise self.error(f"does not answer after {timeout} s")

    def spawn(self, command):
        """Start a shell command as root; return its Job at once."""
        self._last_id += 1
        job = Job(self, self._last_id, command)
        self._jobs[job.ident] = job
        self.send(MSG_RUN, job.ident, command.encode())
        return job

    def run(self, command, timeout=30, check=True):
        """Run a shell command as root to its end; return its Job."""
        job = self.spawn(command)
        if not job.wait(timeout):
            job.kill()
            raise self.error(f"{command}: still runs after {timeout} s")
        if check and job.code:
            raise CommandError(f"{self.name}: {command}: exit status "
                               f"{job.code}: {job.err.strip()}")
        return job

    def push(self, path, text, mode=0o644):
        """Make a small file in the guest."""
        name = shlex.quote(path)
        self.run(f"mkdir -p $(dirname {name}) && base64 -d >{name} <<'END'"
                 f" && chmod {mode:o} {name}\n"
                 f"{base64.b64encode(text.encode()).decode()}\nEND")

    def send(self, kind, ident, payload=b""):
        self._sock.settimeout(10)
        self._sock.sendall(HEADER.pack(kind, ident, len(payload)) + payload)

    def pump(self, done, timeout):
        """Take in messages until done(); False if that takes too long."""
        deadline = time.monotonic() + timeout
        while not done():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._sock.settimeout(min(left, 1))
            try:
                data = self._sock.recv(65536)
            except TimeoutError:
                self.check_running()
                continue
            except ConnectionResetError:
                data = b""
            if not data:
                raise self.error("is gone")
            self._input += data
            self._dispatch()
        return True

    def _dispatch(self):
        while len(self._input) >= HEADER.size:
            kind, ident, length = HEADER.unpack_from(self._input)
            if len(self._input) < HEADER.size + length:
                return
            payload = self._input[HEADER.size:HEADER.size + length]
            self._input = self._input[HEADER.size + length:]
            if kind == MSG_HELLO:
                self._hello = True
            elif ident in self._jobs:
                self._jobs[ident].feed(kind, payload)


def compile_static(source, program):
    """For the guest, whatever its libraries are."""
    subprocess.run(["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-static", "-o", program, source], check=True)


def default_kernel():
    """The first of KERNEL, which may be set and empty."""
    return (os.environ.get("KERNEL") or "6.1").split()[0]


def build_product(install, kernel):
    """make install into a directory; return the path of the kernel module."""
    output_of("make", "-C", TOP, "-s", "--no-print-directory",
              "install", f"DESTDIR={install}")
    return Path(output_of(HERE / "module.sh", "build", kernel))
