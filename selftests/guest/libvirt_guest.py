# SPDX-License-Identifier: GPL-2.0
"""A guest that a libvirtd of its own starts, and whose agent port it has.

The daemon believes to be an ordinary user's, so all it writes is in the
directory of the VM. It and its QEMU live in a PID namespace, and die with it.
"""

import json
import subprocess
import time
from xml.sax.saxutils import escape, quoteattr

from guest import EXEC_PORT, Guest, output_of
from qemu import QEMU, QUIRKS, VM, accelerator
from qga_client import AgentError

NAME = "guest"
# As root libvirtd would use /etc, /run, cgroups, and an account for QEMU.
AS_USER = ("unshare", "--user", "--map-user=1", "--map-group=1", "--pid",
           "--fork", "--kill-child", "--mount-proc", "env")
# The shell is there to reap QEMU, which libvirt makes a daemon.
DAEMON = ("sh", "-c", "libvirtd & wait")

DISK = """\
<disk type='file' device='disk'>
<driver name='qemu' type={format} discard='unmap'/>
<source file={path}/><target dev={dev} bus='virtio'/>{read_only}</disk>
"""
PORT = """\
<channel type='unix'><source mode='bind' path={path}/>
<target type='virtio' name={name}/></channel>
"""
DOMAIN = """\
<domain type={type}><name>{name}</name><memory unit='MiB'>1024</memory>
<vcpu>2</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type><kernel>{kernel}</kernel>
<initrd>{initrd}</initrd><cmdline>{append}</cmdline></os>
<features><acpi/></features>
<pm><suspend-to-mem enabled='yes'/><suspend-to-disk enabled='no'/></pm>
<devices><emulator>{emulator}</emulator>
<serial type='file'><source path={console}/><target port='0'/></serial>
<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
<memballoon model='none'/>
{disks}{ports}</devices></domain>
"""


class VirshError(Exception):
    pass


class LibvirtVM(VM):
    """What comes between Guest and VM: start() starts libvirtd first."""

    @property
    def _socket(self):
        return self.dir / "run/libvirt/libvirt-sock"

    def start(self):
        settings = self.dir / "etc/libvirt/qemu.conf"
        settings.parent.mkdir(parents=True)
        settings.write_text('stdio_handler = "file"\n')     # no virtlogd
        homes = {"HOME": ".", "XDG_RUNTIME_DIR": "run",
                 "XDG_CONFIG_HOME": "etc", "XDG_CACHE_HOME": "cache"}
        self.argv = [*AS_USER, *(f"{key}={self.dir / path}"
                                 for key, path in homes.items()), *DAEMON]
        domain = self.dir / "domain.xml"
        domain.write_text(self._domain())
        super().start()
        self._connect(self._socket, 30).close()
        self.virsh("define", domain)
        self.virsh("start", NAME)
        return self

    def virsh(self, *words, timeout=60):
        """What one command prints; raises VirshError if it fails."""
        done = subprocess.run(
            ["virsh", "-q", "-c",
             f"qemu+unix:///session?socket={self._socket}",
             *(str(word) for word in words)], timeout=timeout, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise VirshError(done.stderr.strip())
        return done.stdout.strip()

    def _domain(self):
        accel = accelerator()
        append = f"{self.linux['append']} {QUIRKS.get(accel, '')}"
        return DOMAIN.format(
            type=quoteattr("qemu" if accel == "tcg" else accel), name=NAME,
            kernel=escape(str(self.linux["kernel"])),
            initrd=escape(str(self.linux["initrd"])), append=escape(append),
            emulator=output_of("which", QEMU),
            console=quoteattr(str(self.console)),
            disks="".join(self._disk(index, disk)
                          for index, disk in enumerate(self.disks)),
            ports="".join(PORT.format(path=quoteattr(str(path)),
                                      name=quoteattr(name))
                          for name, path in self.ports.items()))

    def _disk(self, index, disk):
        """libvirt knows no disk whose writes are forgotten: make another."""
        path, kind = disk.path, disk.format
        if disk.snapshot:
            path, kind = self.dir / f"disk{index}", "qcow2"
            output_of("qemu-img", "create", "-q", "-f", kind, "-b", disk.path,
                      "-F", disk.format, path)
        return DISK.format(format=quoteattr(kind), path=quoteattr(str(path)),
                           dev=quoteattr("vd" + chr(ord("a") + index)),
                           read_only="<readonly/>" if disk.read_only else "")


class VirshAgent:
    """As AgentClient, for what virsh has no command of its own."""

    def __init__(self, guest):
        self._guest = guest

    def close(self):
        """The port is libvirt's, from the start of the guest to its end."""

    def call(self, name, arguments=None, timeout=30):
        request = {"execute": name}
        if arguments is not None:
            request["arguments"] = arguments
        try:
            reply = self._guest.virsh("qemu-agent-command", NAME,
                                      json.dumps(request), "--timeout",
                                      timeout, timeout=timeout + 10)
        except VirshError as error:
            raise AgentError({"desc": str(error)}) from None
        return json.loads(reply)["return"]

    def sync(self, timeout=10):
        """Until libvirt finds that there is an agent, and it answers."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.call("guest-ping")
                return
            except AgentError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)


class LibvirtGuest(Guest, LibvirtVM):
    def agent(self):
        return VirshAgent(self)

    def start_again(self):
        """Of a guest that is off, by the same libvirtd."""
        self._sock.close()
        self.virsh("start", NAME)
        self._sock = self.connect(EXEC_PORT)
        self._hello, self._input = False, b""
        self.wait_boot()
