#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Hooks of the guest's admin, as a cloud's guide has them, and what they do wrong.

Prints KTAP. Whatever a hook does, the guest is never left frozen.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

from guest import Guest, build_product
from guest_dir import work_dir
from guest_host import CONFIG, HOOK_DIR, Host, check, check_equal
from guest_suite import Suite

SUITE = Suite(__doc__)
QEMU_DIRS = ("/etc/qemu/fsfreeze-hook.d", "/etc/qemu-ga/fsfreeze-hook.d")
MASTER = "/etc/qemu/fsfreeze-hook"      # Debian's
LOG = "/var/log/qga-fsfreeze-hook.log"
DATE = r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \w+ \d{4}: "
MONITOR_CGROUP = "/system.slice/kfreeze-monitor.service"

# A server that systemd starts and stops; what it does is of no matter here.
SERVER = """\
[Service]
ExecStart=/bin/sleep infinity
"""
STOP_START = """\
#!/bin/sh


case "$1" in
 freeze)
echo "Stopping MariaDB for consistent snapshot"
systemctl stop mariadb
echo "MariaDB service status: $(systemctl is-active mariadb)"
;;

 thaw)
echo "Starting MariaDB after snapshot"
systemctl start mariadb
echo "MariaDB service status: $(systemctl is-active mariadb)"
     ;;

 *)
     exit 1
     ;;
esac
"""


def reset(host):
    dirs = " ".join(f"{name}/*" for name in QEMU_DIRS)
    host.guest.run(f"rm -rf {HOOK_DIR}/* {dirs}; rm -f {LOG}")
    host.reset()


def configure(host, text):
    host.guest.push(CONFIG, text)
    host.guest.run("systemctl reload kfreeze-monitor", check=False)


def cycle(host):
    """Freeze and thaw; the report of it. Everything can be written after."""
    count = host.freeze()
    check(count > 0, count)
    check_equal(host.thaw(), count)
    host.check_writable("/", "/srv")
    return host.last_cycle()


def log_lines(host):
    return host.guest.run(f"cat {LOG}").out.splitlines()


def expected_log(path):
    path = re.escape(path)
    return [DATE + f"execute {path} freeze",
            "Stopping MariaDB for consistent snapshot",
            "MariaDB service status: inactive",
            DATE + f"{path} finished with status=0",
            DATE + f"execute {path} thaw",
            "Starting MariaDB after snapshot",
            "MariaDB service status: active",
            DATE + f"{path} finished with status=0"]


def check_log(host, patterns):
    lines = log_lines(host)
    check_equal(len(lines), len(patterns))
    for line, pattern in zip(lines, patterns):
        check(re.fullmatch(pattern, line), line)


def run_example(host, path):
    """The example of the guide, unchanged, made executable as it says."""
    host.guest.push(path, STOP_START)
    host.guest.run(f"chmod u+x {path} && systemctl start mariadb")
    host.freeze()
    state = host.guest.run("systemctl is-active mariadb", check=False).out
    host.thaw()
    check_equal(state, "inactive\n")
    check_equal(host.guest.run("systemctl is-active mariadb").out, "active\n")
    check_equal(host.last_cycle()["application"], "ok")


def example(directory):
    def test(host):
        path = f"{directory}/example-hook.sh"
        run_example(host, path)
        check_log(host, expected_log(path))
        check_equal([(hook["path"], hook["phase"], hook["exit-code"])
                     for hook in host.last_cycle()["hooks"]],
                    [(path, "freeze", 0), (path, "thaw", 0)])
    test.__name__ = "guides_example_in" + directory.replace("/", "_")
    SUITE.test(test)


for directory in QEMU_DIRS:
    example(directory)


def check_master_ran(host):
    """It has written to the log itself, below what we write of it."""
    path = f"{QEMU_DIRS[0]}/example-hook.sh"
    wanted = [re.compile(pattern) for pattern in expected_log(path)]
    seen = [line for line in log_lines(host)
            if any(pattern.fullmatch(line) for pattern in wanted)]
    check_equal(len(seen), len(wanted))
    check_equal([hook["path"] for hook in host.last_cycle()["hooks"]],
                [MASTER, MASTER])


@SUITE.test
def stock_master_script_in_the_configuration(host):
    configure(host, f"[hooks]\nscript = {MASTER}\n")
    host.guest.push(f"{HOOK_DIR}/not-run", "#!/bin/sh\n", 0o755)
    run_example(host, f"{QEMU_DIRS[0]}/example-hook.sh")
    check_master_ran(host)


@SUITE.test
def stock_master_script_on_the_command_line(host):
    """kfreezed starts a monitor of its own, which has no cgroup for hooks."""
    host.guest.run("systemctl stop kfreezed kfreeze-monitor.socket"
                   " kfreeze-monitor && systemd-run -q --unit=by-hand"
                   f" /usr/sbin/kfreezed -F{MASTER}")
    try:
        host.reconnect()
        host.agent.sync(30)
        run_example(host, f"{QEMU_DIRS[0]}/example-hook.sh")
        check_master_ran(host)
    finally:
        host.guest.run("systemctl stop by-hand; systemctl start"
                       " kfreeze-monitor.socket", 60)


LOOK_AROUND = """\
#!/bin/sh
exec >/run/around.$1
readlink /proc/self/fd/0
umask
ls /proc/self/fd | wc -l
cat /proc/self/cgroup /proc/self/oom_score_adj
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp|SigBlk):' /proc/self/status
env
"""


@SUITE.test
def hooks_are_roots_and_find_nothing_of_ours(host):
    host.guest.push(f"{HOOK_DIR}/10-look", LOOK_AROUND, 0o755)
    cycle(host)
    all_of_them = host.guest.run("grep CapBnd: /proc/1/status").out.split()[1]
    frozen, thawed = (host.guest.run(f"cat /run/around.{phase}").out
                      for phase in ("freeze", "thaw"))
    lines = frozen.splitlines()
    check_equal(lines[:3], ["/dev/null", "0022", "4"])  # and ls' directory
    check(lines[3].startswith(f"0::{MONITOR_CGROUP}/hook-"), lines[3])
    check_equal(lines[4], "0")
    status = dict(line.split(":\t") for line in lines[5:11])
    check_equal(status, {"Uid": "0\t0\t0\t0", "CapEff": all_of_them,
                         "CapBnd": all_of_them, "NoNewPrivs": "0",
                         "Seccomp": "0", "SigBlk": "0" * 16})
    names = {line.split("=")[0] for line in lines[11:] if "=" in line}
    check_equal(names - {"PWD", "SHLVL", "_"},      # the shell's own
                {"PATH", "HOME", "LANG", "KFREEZE_ID", "KFREEZE_TIMEOUT_MS",
                 "KFREEZE_HOOK_TIMEOUT_MS", "KFREEZE_MOUNTS"})
    check(re.search(r"^KFREEZE_MOUNTS=\d+:\d+ /$", frozen, re.M), frozen)
    check("\nKFREEZE_OUTCOME=ok\n" in thawed, thawed)


@SUITE.test
def journal_has_the_output_of_each_hook(host):
    path = f"{HOOK_DIR}/10-speaks"
    host.guest.push(path, "#!/bin/sh\necho first $1; echo second\n", 0o755)
    cycle(host)
    seen = host.guest.run("journalctl --sync; journalctl -o cat --no-pager"
                          f" KFREEZE_HOOK={path} KFREEZE_HOOK_PHASE=thaw").out
    check_equal(seen, f"{path} thaw finished with status=0\n"
                      "first thaw\nsecond\n")


@dataclass
class Fault:
    """A hook that does wrong, and what the report says. None: not there."""
    name: str
    script: str
    freeze: dict = None
    thaw: dict = None
    application: str = None
    mode: int = 0o755
    last_line: str = ""
    prepare: str = ""
    while_frozen: str = ""      # commands that have to succeed
    after: str = ""


OK = {"exit-code": 0, "timed-out": False}
STATUS_3 = {"exit-code": 3, "timed-out": False}
KILLED = {"signal": 9, "timed-out": False}
TERMINATED = {"signal": 15, "timed-out": True}
NOT_RUN = {"timed-out": False}
SLEEP = "pgrep -f '[s]leep 1000'"        # but not itself
NO_SLEEP = "! " + SLEEP

FAULTS = [
    Fault("hangs", "# kfreeze: timeout=1\n[ $1 = thaw ] || exec sleep 1000",
          TERMINATED, OK, "failed", while_frozen=NO_SLEEP),
    Fault("hangs_and_leaves_its_session",
          "# kfreeze: timeout=1\n[ $1 = thaw ] || setsid --wait sh -c"
          " 'trap : TERM; sleep 1000; sleep 1000'",
          TERMINATED, OK, "failed", while_frozen=NO_SLEEP),
    Fault("fails", "[ $1 = thaw ] || { echo because; exit 3; }",
          STATUS_3, OK, "failed", last_line="because"),
    Fault("is_killed", "[ $1 = thaw ] || kill -9 $$", KILLED, OK, "failed"),
    Fault("is_not_executable", "exit 0", mode=0o644),
    Fault("is_world_writable", "exit 0", NOT_RUN, None, "failed", mode=0o757,
          last_line="refused: writable by others"),
    Fault("is_a_directory", "", prepare="mkdir -p {path}"),
    Fault("prints_1_gib", "# kfreeze: timeout=120\n[ $1 = thaw ] ||"
          " { dd if=/dev/zero bs=1M count=1024 status=none; echo; echo end; }",
          OK, OK, "ok", last_line="end", after=f"[ $(stat -c %s {LOG})"
          " -lt 70000 ]"),
    Fault("forks_a_daemon_that_keeps_stdout",
          "[ $1 = thaw ] || setsid sh -c 'trap : TERM; sleep 1000;"
          " sleep 1000' &", OK, OK, "ok",
          while_frozen=SLEEP, after=NO_SLEEP),
    Fault("stops_its_own_server", STOP_START, OK, OK, "ok",
          last_line="MariaDB service status: inactive",
          prepare="systemctl start mariadb",
          after="systemctl is-active mariadb"),
    Fault("hangs_at_thaw", "# kfreeze: timeout=1\n[ $1 = freeze ] ||"
          " exec sleep 1000", OK, TERMINATED, "lost", after=NO_SLEEP),
]


def check_report(host, fault, path):
    seen = host.last_cycle()
    hooks = {hook["phase"]: hook for hook in seen["hooks"]}
    check_equal(seen["verdict"], "ok")
    check_equal(seen.get("application"), fault.application)
    check_equal(len(seen["hooks"]), len(hooks))
    for phase, wanted in ("freeze", fault.freeze), ("thaw", fault.thaw):
        hook = hooks.get(phase)
        if wanted is None:
            check_equal(hook, None)
            continue
        check_equal(hook["path"], path)
        check_equal({key: hook[key] for key in
                     ("exit-code", "signal", "timed-out") if key in hook},
                    wanted)
    if fault.last_line:
        check_equal(hooks["freeze"]["last-line"], fault.last_line)


def add_fault(fault):
    def test(host):
        path = f"{HOOK_DIR}/10-faulty"
        if fault.prepare:
            host.guest.run(fault.prepare.format(path=path))
        if fault.script:
            host.guest.push(path, f"#!/bin/sh\n{fault.script}\n", fault.mode)
        count = host.agent.call("guest-fsfreeze-freeze", timeout=150)
        check(count > 0, count)
        state = host.guest.spawn(fault.while_frozen or "true")
        ended = state.wait(20)
        check_equal(host.thaw(), count)
        check(ended and state.code == 0, (fault.while_frozen, state.code))
        host.check_writable("/", "/srv")
        host.guest.run(fault.after or "true")
        check_report(host, fault, path)
    test.__name__ = f"hook_that_{fault.name}"
    SUITE.test(test)


for fault in FAULTS:
    add_fault(fault)


@SUITE.test
def abort_tells_the_host_which_hook_and_why(host):
    """In the header of one hook; the thaw hooks of all that ran follow."""
    note = "echo $0 $1 $KFREEZE_OUTCOME >>/run/notes"
    host.guest.run("rm -f /run/notes")
    host.guest.push(f"{HOOK_DIR}/10-works", f"#!/bin/sh\n{note}\n", 0o755)
    host.guest.push(f"{HOOK_DIR}/20-fails", "#!/bin/sh\n# kfreeze: policy=abort"
                    f"\n{note}\n[ $1 = thaw ] || {{ echo disk full; exit 3; }}",
                    0o755)
    host.guest.push(f"{HOOK_DIR}/30-never", f"#!/bin/sh\n{note}\n", 0o755)
    error = host.error_of("guest-fsfreeze-freeze")
    check_equal(error.desc, f"{HOOK_DIR}/20-fails: freeze hook failed: status 3"
                            ": disk full; nothing was frozen")
    check_equal(host.status(), "thawed")
    host.check_writable("/", "/srv")
    check_equal(host.guest.run("cat /run/notes").out.replace(HOOK_DIR + "/", ""),
                "10-works freeze\n20-fails freeze\n"
                "20-fails thaw aborted\n10-works thaw aborted\n")


def run(options):
    with work_dir() as work:
        module = build_product(work / "install", options.kernel)
        guest = Guest("hooks", kernel=options.kernel, timeout=options.timeout,
                      install=work / "install", module=module)
        with guest:
            guest.wait_boot()
            guest.push("/etc/systemd/system/mariadb.service", SERVER)
            guest.run("systemctl daemon-reload")
            yield "", Host(guest), reset


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
