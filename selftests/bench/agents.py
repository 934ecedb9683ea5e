# SPDX-License-Identifier: GPL-2.0
"""Three agents side by side in one guest, each on a port of its own.

stock: Debian's qemu-ga.  module: kfreezed and its monitor as installed.
fallback: both of them in a network namespace, where the module's netlink family
cannot be seen, so that they freeze by ioctl.  No agent runs hooks.
"""

import re
import time

from figures import COLUMNS
from guest import AGENT_PORT
from qemu import Port
from qga_client import AgentClient

PORT_NAMES = {"stock": "bench.stock", "module": AGENT_PORT,
              "fallback": "bench.fallback"}
PORTS = [Port(name) for name in PORT_NAMES.values() if name != AGENT_PORT]
BACKENDS = {"module": "kmod", "fallback": "ioctl"}
COMMANDS = {
    "stock": "QGA_CONF=/run/none exec qemu-ga -m virtio-serial -p {port}"
             " -t /run",
    "fallback": "exec unshare -n kfreezed -m virtio-serial -p {port}",
}
NO_HOOKS = "[general]\nfsfreeze-hook = /dev/null\n"
SWITCHES = re.compile(r"^(?:non)?voluntary_ctxt_switches:\s+(\d+)$", re.M)
LONG = 120
# What the module wants between two freezes, from no agent's time.
INTERVAL = 0.1


class Agents:
    def __init__(self, guest):
        self.guest = guest
        self._clients = {}
        self._jobs = {}
        guest.push("/etc/qemu/qemu-ga.conf", NO_HOOKS)

    def start(self, column):
        path = f"/dev/virtio-ports/{PORT_NAMES[column]}"
        if column in COMMANDS:
            job = self.guest.spawn(COMMANDS[column].format(port=path))
            self._jobs[column] = job
        else:
            self.guest.run("systemctl start kfreezed", LONG)
        self._clients[column] = AgentClient(
            self.guest.connect(PORT_NAMES[column]))
        self._clients[column].sync(LONG)

    def stop(self, column):
        self._clients.pop(column).close()
        if column in COMMANDS:
            self._jobs[column].kill()
            self._jobs.pop(column).wait(LONG)
        else:
            self.guest.run("systemctl stop kfreezed kfreeze-monitor", LONG)

    def start_all(self):
        for column in COLUMNS:
            self.start(column)

    def pids(self, column):
        """Of the agent, and of its monitor if it has one."""
        if column == "module":
            return self.guest.run("systemctl show -p MainPID --value"
                                  " kfreezed kfreeze-monitor").out.split()
        agent = self.guest.run(f"pgrep -f '^(qemu-ga|kfreezed) .*"
                               f"{PORT_NAMES[column]}'").out.split()
        if column == "fallback":
            agent += self.guest.run(f"pgrep -P {agent[0]}").out.split()
        return agent

    def private_kib(self, column):
        """Memory that is nobody else's, and the share in what is shared."""
        text = self.guest.run("cat " + " ".join(
            f"/proc/{pid}/smaps_rollup" for pid in self.pids(column))).out
        sizes = re.findall(r"^(\w+):\s+(\d+) kB$", text, re.M)
        return (sum(int(size) for name, size in sizes
                    if name.startswith("Private_")),
                sum(int(size) for name, size in sizes if name == "Pss"))

    def wakeups(self, column, seconds):
        """Context switches of an agent that nobody asks anything."""
        command = "cat " + " ".join(f"/proc/{pid}/task/*/status"
                                    for pid in self.pids(column))
        before = self._switches(command)
        time.sleep(seconds)
        return self._switches(command) - before

    def _switches(self, command):
        return sum(map(int, SWITCHES.findall(self.guest.run(command).out)))

    def ping_ms(self, column):
        start = time.monotonic()
        self._clients[column].call("guest-ping")
        return (time.monotonic() - start) * 1000

    def freeze(self, column, directories):
        """(sent, answered) in ns; all directories have to be frozen."""
        time.sleep(INTERVAL)
        span, count = self._timed(column, "guest-fsfreeze-freeze-list",
                                  {"mountpoints": directories})
        if count != len(directories):
            raise RuntimeError(f"{column}: froze {count} of"
                               f" {len(directories)} filesystems")
        return span

    def thaw(self, column):
        return self._timed(column, "guest-fsfreeze-thaw")[0]

    def _timed(self, column, command, arguments=None):
        start = time.monotonic_ns()
        value = self._clients[column].call(command, arguments, timeout=LONG)
        return (start, time.monotonic_ns()), value

    def check_backend(self, column):
        """Nobody measures one and prints the other."""
        if column not in BACKENDS:
            return
        report = self._clients[column].call("__org.kfreeze_report")
        seen = report["cycles"][-1]["backend"]
        if seen != BACKENDS[column]:
            raise RuntimeError(f"{column}: froze with {seen}")
