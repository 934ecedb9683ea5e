#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""kfreeze takes the place of Debian's qemu-guest-agent, which stays installed:
units, upgrade, settings, journal, and the command lines of other units."""

import json
import shlex
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "vm"))

from guest import AGENT_PORT, Guest, build_product
from guest_dir import work_dir
from guest_host import CONFIG, HOOK_DIR, Host, by_ioctl, check, check_equal
from guest_suite import Suite

STAGE = "opt/kfreeze"           # what `make install` has made, not yet in place
STOCK = "qemu-guest-agent"
# As a package does it.
INSTALL = (f"tar -C /{STAGE} -c . | tar -C / -x --keep-directory-symlink"
           " && systemd-sysusers && systemctl daemon-reload"
           " && udevadm control --reload"
           " && udevadm trigger --settle --subsystem-match=virtio-ports")
NOW = "date +%s%6N"
SUITE = Suite(__doc__, timeout=1200)


class System(Host):
    """A host whose guest has both agents."""

    def __init__(self, guest):
        super().__init__(guest)
        self.agent.sync(60)
        self.stock_version = self.version()
        guest.run(f"{INSTALL} && systemctl start kfreezed", 60)
        self.agent.sync(60)

    def version(self):
        return self.agent.call("guest-info")["version"]

    def is_active(self, unit):
        return self.guest.run(f"systemctl is-active {unit}",
                              check=False).out.strip() == "active"

    def show(self, unit, prop):
        return self.guest.run(f"systemctl show -p {prop} --value"
                              f" {unit}").out.strip()

    def cursor(self):
        line = self.guest.run("journalctl --sync; journalctl -n 1 -o json").out
        return json.loads(line)["__CURSOR"]

    def journal(self, cursor):
        """What has been logged since: messages, and lines with all fields."""
        out = self.guest.run("journalctl --sync; journalctl --no-pager -o json"
                             f" --after-cursor '{cursor}'").out
        return [json.loads(line) for line in out.splitlines()]

    def wait_journal(self, cursor, text, nr=1):
        """Until so many messages have the text; returns them."""
        command = (f"until [ $(journalctl --sync; journalctl -o cat --no-pager"
                   f" --after-cursor '{cursor}' | grep -cF {shlex.quote(text)})"
                   f" -ge {nr} ]; do :; done")
        self.guest.run(command, 20)
        return [line["MESSAGE"] for line in self.journal(cursor)
                if text in line["MESSAGE"]]

    def configure(self, text):
        self.guest.push(CONFIG, text)

    def serve_by(self, unit):
        """Write qemu-guest-agent's unit, and have that one serve."""
        self.guest.run(f"rm -f /etc/systemd/system/{STOCK}.service")
        self.guest.push(f"/etc/systemd/system/{STOCK}.service", unit)
        self.guest.run(f"systemctl daemon-reload && systemctl restart {STOCK}",
                       60)
        self.agent.sync(60)
        check_equal(self.is_active("kfreezed"), False)

    def reset(self):
        self.guest.run(f"systemctl stop {STOCK} kfreezed kfreeze-monitor;"
                       f" rm -f /etc/systemd/system/{STOCK}.service"
                       " /etc/sysconfig/qemu-ga; systemctl daemon-reload", 60)
        super().reset()


@SUITE.test
def install_takes_over(system):
    check_equal(system.stock_version.split(".")[0], "7")
    check_equal(system.version().split(".")[0], "0")
    check_equal(system.is_active("kfreezed"), True)
    check_equal(system.is_active(STOCK), False)


@SUITE.test
def one_agent_at_a_time(system):
    """Whichever is started, the other is stopped first: neither finds the port
    in use, fails, and is started again. Without the drop-in, stock did so in one
    of ten starts."""
    check("kfreezed.service" in system.show(STOCK, "Conflicts").split(), STOCK)
    for _ in range(3):
        for unit, version in (STOCK, "7"), ("kfreezed", "0"):
            system.guest.run(f"systemctl reset-failed; systemctl start {unit}",
                             60)
            system.agent.sync(60)
            for name in (STOCK, "kfreezed"):
                check_equal((name, system.is_active(name)),
                            (name, name == unit))
                check_equal(system.show(name, "NRestarts"), "0")
            check_equal(system.version().split(".")[0], version)


@SUITE.test
def port_that_appears_is_ours(system):
    """Both agents' udev rules are there, as at boot."""
    number = list(system.guest.ports).index(AGENT_PORT)
    system.guest.qmp("device_del", id=f"vport{number}")
    system.agent.close()
    system.guest.run("until ! systemctl is-active -q kfreezed; do :; done")
    system.guest.qmp("device_add", driver="virtserialport", name=AGENT_PORT,
                     id=f"vport{number}", chardev=f"port{number}")
    system.agent = system.guest.agent()
    system.agent.sync(60)
    check_equal(system.version().split(".")[0], "0")
    system.guest.run("udevadm trigger --settle --subsystem-match=virtio-ports")
    check_equal(system.is_active("kfreezed"), True)
    check_equal(system.is_active(STOCK), False)
    check_equal(system.show("kfreezed", "NRestarts"), "0")


@SUITE.test
def status_tells_state_and_last_cycle(system):
    system.freeze()
    text = system.guest.run("systemctl status kfreezed").out
    check('Status: "Freezing, frozen or thawing' in text, text)
    system.thaw()
    text = system.guest.run("systemctl status kfreezed").out
    check('Status: "Thawed; last cycle, at 20' in text, text)
    check("UTC: 1 filesystems, ok" in text, text)
    for unit in ("kfreezed", "kfreeze-monitor"):
        check("ok" in system.show(unit, "StatusText"), unit)
    system.freeze()
    system.guest.run("systemctl restart kfreezed", 60)
    system.agent.sync(60)
    text = system.show("kfreezed", "StatusText")
    check("the host has yet to hear that its freeze was lost" in text, text)
    system.check_lost()
    text = system.show("kfreezed", "StatusText")
    check("Thawed; last cycle" in text and "fsfreeze is limited" in text, text)


@SUITE.test
def kfreezectl_tells_the_same(system):
    """From a frozen disk, too, and when the monitor was killed."""
    status, report = "kfreezectl status", "kfreezectl report"
    check_equal(system.freeze(), 1)
    text = system.guest.run(status).out
    check("state: frozen\n" in text and "  frozen: level 0: / (" in text, text)
    system.thaw()
    text = system.guest.run(status).out
    check("state: thawed\n" in text, text)
    text = system.guest.run(report).out
    check("verdict: ok\n" in text and "  level 0: / (" in text, text)
    system.freeze()
    system.guest.run(f"kill -9 {system.main_pid('kfreeze-monitor')}")
    system.check_lost()
    system.guest.run("systemctl start kfreeze-monitor")
    # once the agent has told the new one that the host knows of the loss
    system.guest.run(f"until {status} | grep -qx 'state: thawed'; do :; done")
    system.guest.run("systemctl stop kfreezed kfreeze-monitor.service", 60)
    job = system.guest.run(status, check=False)
    check_equal(job.code, 1)
    check("remedy: systemctl start kfreezed" in job.err, job.err)
    system.guest.run("systemctl start kfreezed")
    system.agent.sync(60)
    text = system.guest.run(status).out
    check("state: thawed\n" in text, text)
    for user in ("nobody", "kfreezed"):
        job = system.guest.run(f"setpriv --reuid {user} --clear-groups"
                               " bash -c 'exec 3<>/run/kfreeze/admin.sock'",
                               check=False)
        check(job.code != 0, user)


@SUITE.test
def stop_and_restart(system):
    system.guest.run("systemctl stop kfreezed", 60)
    check_equal(system.is_active("kfreezed"), False)
    system.guest.run("systemctl start kfreezed", 60)
    system.agent.sync(60)
    system.guest.run("systemctl restart kfreezed", 60)
    system.agent.sync(60)
    check_equal(system.freeze(), 1)
    check_equal(system.thaw(), 1)


def check_upgraded(system):
    for unit in ("kfreezed", "kfreeze-monitor"):
        pid = system.main_pid(unit)
        exe = system.guest.run(f"readlink /proc/{pid}/exe").out.strip()
        check_equal(exe, f"/usr/sbin/{unit}")


@SUITE.test
def upgrade_while_frozen(system):
    """Stop, replace, start, as a package does it: thawed first, host told."""
    check_equal(system.freeze(), 1)
    jobs = system.check_frozen("/srv")
    system.guest.run(f"systemctl stop kfreezed kfreeze-monitor && {INSTALL}"
                     " && systemctl start kfreezed", 60)
    system.check_ended(jobs)
    system.check_lost()
    check_upgraded(system)


@SUITE.test
def replace_while_frozen(system):
    """By hand, with one restart at the end: the copy waits for the deadline."""
    system.configure("[general]\ntimeout = 3\n")
    system.guest.run("systemctl restart kfreezed kfreeze-monitor", 60)
    system.agent.sync(60)
    check_equal(system.freeze(), 1)
    system.guest.run(f"{INSTALL} && systemctl restart kfreeze-monitor kfreezed",
                     60)
    system.check_lost()
    check_upgraded(system)


@SUITE.test
def both_killed_while_frozen(system):
    """Nobody who saw the freeze is left to tell of it."""
    check_equal(system.freeze(), 1)
    jobs = system.check_frozen("/srv")
    pids = [system.main_pid(unit) for unit in ("kfreezed", "kfreeze-monitor")]
    # the port drops what the host sends until the agent is gone
    system.guest.run("kill -9 {0} {1}; while [ -e /proc/{0} ]; do :; done"
                     .format(*pids), 20)
    system.check_ended(jobs)
    system.check_lost()


for freezes in (stop_and_restart, upgrade_while_frozen, replace_while_frozen,
                both_killed_while_frozen):
    SUITE.test(by_ioctl(freezes))


@SUITE.test
def reload_takes_new_settings(system):
    cursor = system.cursor()
    system.agent.call("guest-ping")
    system.configure("[general]\ntimeout = 7\nblock-rpcs = guest-ping\n")
    system.guest.run("systemctl reload kfreezed", 60)
    system.wait_journal(cursor, "the settings have been read again", 2)
    error = system.error_of("guest-ping")
    check_equal(error.desc, "Command guest-ping has been disabled:"
                            " the command is not allowed")
    check_equal(system.freeze(), 1)
    system.guest.run("systemctl restart kfreezed", 60)
    system.agent.sync(60)
    error = system.error_of("guest-fsfreeze-thaw")
    check("fsfreeze is limited up to 7 seconds" in error.desc, error.desc)


@SUITE.test
def reload_of_a_bad_file_keeps_the_settings(system):
    system.configure("[general]\nblock-rpcs = guest-ping\n")
    system.guest.run("systemctl restart kfreezed kfreeze-monitor", 60)
    system.agent.sync(60)
    cursor = system.cursor()
    system.configure("[general]\ntimeout = 300\n")
    system.guest.run("systemctl reload kfreezed", 60)
    system.wait_journal(cursor, "the settings stay as they were", 2)
    system.wait_journal(cursor, f"error: {CONFIG}:2: timeout: '300' is not"
                        " accepted: expected 1 to 120 seconds", 2)
    system.error_of("guest-ping")
    check_equal(system.freeze(), 1)
    check_equal(system.thaw(), 1)


@SUITE.test
def reload_waits_for_the_thaw(system):
    cursor = system.cursor()
    system.guest.run("mount -t tmpfs none /etc/kfreeze")
    try:
        check_equal(system.freeze(), 1)
        # not by push(): the shell's here-document is a file in /tmp
        system.guest.run("printf '[general]\\nblock-rpcs = guest-ping\\n'"
                         f" >{CONFIG}")
        system.guest.run("systemctl reload kfreezed", 20)
        check_equal(system.agent.call("guest-ping"), {})
        check_equal(system.status(), "frozen")
        check_equal(system.thaw(), 1)
        system.wait_journal(cursor, "the settings have been read again", 2)
        system.error_of("guest-ping")
    finally:
        system.guest.run("umount /etc/kfreeze")


@SUITE.test
def bad_file_is_refused_at_start(system):
    cursor = system.cursor()
    system.configure("[general]\n\n[hooks]\npolicy = ignore\n")
    system.guest.run("systemctl stop kfreezed kfreeze-monitor;"
                     " systemctl start kfreezed", 60, check=False)
    system.wait_journal(cursor, f"error: {CONFIG}:4: policy: 'ignore' is not"
                        " accepted: expected continue or abort")
    check_equal(system.is_active("kfreezed"), False)


@SUITE.test
def journal_has_the_lines_and_fields(system):
    system.guest.push(f"{HOOK_DIR}/10-fails", "#!/bin/sh\nexit 3\n", 0o755)
    cursor = system.cursor()
    system.agent.call("guest-ping")
    system.freeze()
    frozen = int(system.guest.run(NOW).out)
    system.agent.call("guest-ping")
    thawing = int(system.guest.run(NOW).out)
    system.thaw()
    system.wait_journal(cursor, "filesystems were frozen for")
    lines = [line for line in system.journal(cursor)
             if line.get("SYSLOG_IDENTIFIER") == "qemu-ga"]
    found = {}
    for line in lines:
        found.setdefault(line["MESSAGE"].split(" (at ")[0], []).append(line)
    for text, command in (("info: guest-ping called", "guest-ping"),
                          ("info: guest-fsfreeze called",
                           "guest-fsfreeze-freeze"),
                          ("info: guest-fsthaw called", "guest-fsfreeze-thaw")):
        check(text in found, list(found))
        check_equal(found[text][0]["KFREEZE_COMMAND"], command)
        check_equal(found[text][0]["PRIORITY"], "6")
    for phase in ("freeze", "thaw"):
        line = found[f"info: executing fsfreeze hook with arg '{phase}'"][0]
        check_equal(line["KFREEZE_HOOK_PHASE"], phase)
        line = found[f"warning: {HOOK_DIR}/10-fails: {phase} hook failed:"
                     " status 3"][0]
        check_equal(line["KFREEZE_HOOK"], f"{HOOK_DIR}/10-fails")
        check_equal(line["KFREEZE_HOOK_STATUS"], "3")
        check_equal(line["PRIORITY"], "4")
    ended = [line for line in lines if "KFREEZE_OUTCOME" in line][0]
    check_equal(ended["KFREEZE_OUTCOME"], "ok")
    check_equal(ended["KFREEZE_COUNT"], "1")
    pings = found["info: guest-ping called"]
    check_equal(len(pings), 2)
    held = pings[1]
    check(frozen <= int(held["KFREEZE_REALTIME_USEC"]) <= thawing, held)
    check(int(held["__REALTIME_TIMESTAMP"]) > thawing, held)
    check(" (at 20" in held["MESSAGE"], held)


def check_unit(system):
    """Served by root's qemu-guest-agent.service, which has two processes."""
    check_equal(system.version().split(".")[0], "0")
    check_equal(system.agent.call("guest-ping"), {})
    check_equal(system.freeze(), 1)
    check_equal(system.thaw(), 1)
    check_equal(system.freeze(), 1)
    jobs = system.check_frozen("/srv")
    system.guest.run(f"systemctl restart {STOCK}", 60)
    system.check_ended(jobs)
    system.check_lost()
    pid = system.main_pid(STOCK)
    uid = system.guest.run(f"stat -c %U /proc/{pid}").out.strip()
    check_equal(system.guest.run(f"grep ^Uid /proc/{pid}/status").out.split()[1],
                system.guest.run("id -u kfreezed").out.strip())
    check(uid in ("kfreezed", "root"), uid)


@SUITE.test
def unit_of_debian_with_another_path(system):
    unit = system.guest.run(f"cat /lib/systemd/system/{STOCK}.service").out
    check("ExecStart=-/usr/sbin/qemu-ga" in unit, unit)
    system.serve_by(unit.replace("/usr/sbin/qemu-ga", "/usr/sbin/kfreezed"))
    check_unit(system)


RHEL_UNIT = """\
[Unit]
Description=QEMU Guest Agent
BindsTo=dev-virtio\\x2dports-org.qemu.guest_agent.0.device
After=dev-virtio\\x2dports-org.qemu.guest_agent.0.device
IgnoreOnIsolate=True
[Service]
UMask=0077
EnvironmentFile=/etc/sysconfig/qemu-ga
ExecStart=/usr/sbin/kfreezed \\
  --method=virtio-serial \\
  --path=/dev/virtio-ports/org.qemu.guest_agent.0 \\
  {option} \\
  -F${{FSFREEZE_HOOK_PATHNAME}}
StandardError=syslog
Restart=always
RestartSec=0
[Install]
WantedBy=dev-virtio\\x2dports-org.qemu.guest_agent.0.device
"""
RHEL_HOOK = "/etc/qemu-ga/fsfreeze-hook"
# Of EL7/8, of 9.0 to 9.3, and of 9.4 and later, with a list that is shorter.
RHEL_VARIANTS = (
    ("--blacklist=${BLACKLIST_RPC}",
     "BLACKLIST_RPC=guest-file-open,guest-file-close,guest-file-read,"
     "guest-file-write,guest-file-seek,guest-file-flush,guest-exec,"
     "guest-exec-status"),
    ("--block-rpcs=${BLOCK_RPCS}", "BLOCK_RPCS="),
    ("$FILTER_RPC_ARGS",
     'FILTER_RPC_ARGS="--allow-rpcs=guest-sync-delimited,guest-sync,guest-ping,'
     "guest-info,guest-fsfreeze-status,guest-fsfreeze-freeze,"
     'guest-fsfreeze-thaw"'),
)


@SUITE.test
def units_of_rhel_with_another_path(system):
    system.guest.push(RHEL_HOOK, "#!/bin/sh\necho $1 >>/run/hook.log\n", 0o755)
    for option, setting in RHEL_VARIANTS:
        system.guest.run("rm -f /run/hook.log")
        system.guest.push("/etc/sysconfig/qemu-ga", f"{setting}\n"
                          f"FSFREEZE_HOOK_PATHNAME={RHEL_HOOK}\n")
        system.serve_by(RHEL_UNIT.format(option=option))
        check_equal(system.freeze(), 1)
        check_equal(system.thaw(), 1)
        check_equal(system.guest.run("cat /run/hook.log").out,
                    "freeze\nthaw\n")
        allowed = {command["name"]: command["enabled"] for command in
                   system.agent.call("guest-info")["supported_commands"]}
        check_equal(allowed["guest-fsfreeze-freeze-list"],
                    "FILTER" not in option)
    check_unit(system)


@SUITE.test
def hook_of_dev_null_is_none(system):
    system.guest.push(f"{HOOK_DIR}/10-hook", "#!/bin/sh\ntouch /run/ran\n",
                      0o755)
    system.guest.push("/etc/sysconfig/qemu-ga",
                      "FSFREEZE_HOOK_PATHNAME=/dev/null\n")
    system.serve_by(RHEL_UNIT.format(option="--block-rpcs="))
    check_equal(system.freeze(), 1)
    check_equal(system.thaw(), 1)
    system.guest.run("test ! -e /run/ran")


@SUITE.test
def freeze_list_knows_paths(system):
    """Any path to any mount of a filesystem; unknown ones are no error."""
    guest = system.guest
    guest.run("mkdir -p /srv/bound /mnt/all && mount --bind /etc /srv/bound"
              " && mount --bind / /mnt/all")
    try:
        for paths, count in ((["/"], 1), (["/srv/bound"], 1),
                             (["//srv/./bound/", "/mnt/all", "/"], 1),
                             (["/mnt/all/../all"], 1), ([], 0),
                             (["/no/such", "/proc", "srv"], 0)):
            check_equal((paths, system.freeze(paths)), (paths, count))
            system.thaw()
        cursor = system.cursor()
        system.configure("[general]\nstrict = true\n")
        guest.run("systemctl reload kfreezed", 60)
        system.wait_journal(cursor, "the settings have been read again", 2)
        error = system.error_of("guest-fsfreeze-freeze-list",
                                {"mountpoints": ["/", "/no/such"]})
        check_equal(error.desc, "/no/such: cannot be frozen:"
                                " no such mount point; nothing was frozen")
        check_equal(system.freeze(["/srv/bound/"]), 1)
        system.thaw()
    finally:
        guest.run("umount /srv/bound /mnt/all")


def run(options):
    with work_dir() as work:
        module = build_product(work / STAGE, options.kernel)
        with Guest("systemd", kernel=options.kernel, timeout=options.timeout,
                   install=work, module=module, stock_agent=True,
                   qmp=True) as guest:
            guest.wait_boot()
            guest.run("date >/srv/data")
            yield "", System(guest), System.reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
