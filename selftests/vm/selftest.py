#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Does the VM runner see what it must see?

Runs programs that fail in every way there is, and checks what is said about
them. Prints KTAP.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import ktap_functions
from qemu import CPUS, children, runs_at_speed

VM_DIR = Path(__file__).resolve().parent
PROGRAMS = VM_DIR / "selftest"
PATIENCE = 120
HANGS = ("--program-timeout", "10")


def command(*names, options=()):
    return [str(VM_DIR / "run.py"), "--no-module", *options,
            *(name if "/" in name else f"{PROGRAMS}/{name}.sh"
              for name in names)]


def run(*names, options=()):
    """Return the runner's exit status and what it printed, stripped."""
    result = subprocess.run(command(*names, options=options), text=True,
                            stdout=subprocess.PIPE, timeout=PATIENCE,
                            check=False)
    return result.returncode, [line.strip()
                               for line in result.stdout.splitlines()]


def expect(lines, *wanted):
    """Each wanted line is there; one ending in * only starts a line."""
    missing = [text for text in wanted
               if not any(line == text or text[-1] == "*" and
                          line.startswith(text[:-1]) for line in lines)]
    if missing:
        raise AssertionError("not said: " + "; ".join(missing) +
                             "\n" + "\n".join(lines))


def every_program_gets_its_verdict():
    status, lines = run("passes", "fails", "skips", "hangs", "ends_early",
                        "leaves_frozen", "after_frozen", "warns", "floods",
                        options=HANGS)
    assert status == 1
    expect(lines,
           "1..10", "ok 1 passes.sh", "ok 2 tool_runs",
           "not ok 2 fails.sh", "# failed: 6.1: fails.sh: second",
           "# failed: 6.1: skips.sh: feature",
           "# killed after 10 s", "not ok 4 hangs.sh",
           "# failed: 6.1: ends_early.sh: 2 planned, 1 seen",
           "# /mnt/frozen: was left frozen", "not ok 6 leaves_frozen.sh",
           "ok 1 writable_again", "ok 7 after_frozen.sh",
           "# kernel: WARNING: *", "not ok 8 warns.sh",
           "# kernel: records were overwritten*", "not ok 9 floods.sh",
           "not ok 10 kernel_log_is_clean", "# 6.1: 9 passed, 8 failed, *")


def all_passed_is_success():
    """So it is with what a processor must pass that is to be relied on."""
    status, lines = run("passes", "vm/flags_test")
    assert status == 0, lines
    expect(lines, "ok 1 cmpxchg16b_computes_its_flags",
           "# 6.1: 5 passed, 0 failed, 0 skipped in *")


def a_panic_is_a_missing_plan():
    status, lines = run("panics", "passes")
    assert status == 1
    expect(lines, "# failed: 6.1: 3 planned, 0 seen",
           "# 6.1: the console ends with:")


def check_time_limit(seconds):
    started = time.monotonic()
    status, lines = run("hangs", options=("--timeout", seconds))
    assert status == 1
    assert time.monotonic() - started < PATIENCE / 2
    expect(lines, "# failed: 6.1: the VM ended: timeout")


def time_limit_ends_the_vm():
    check_time_limit("2")


def time_limit_ends_a_vm_that_wrote_nothing():
    check_time_limit("0.001")


def wait_for(condition, what):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"in vain: {what}")
        time.sleep(0.05)


def heed_ctrl_c():
    """What is started in the background does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def program(pid):
    return os.readlink(f"/proc/{pid}/exe")


@contextlib.contextmanager
def booting(*names, options=()):
    """The runner, the process ids of its keeper and of QEMU."""
    with subprocess.Popen(command(*names, options=options), text=True,
                          start_new_session=True, preexec_fn=heed_ctrl_c,
                          stdout=subprocess.PIPE) as runner:
        for line in runner.stdout:
            if "booting" in line:
                break
        wait_for(lambda: children(runner.pid), "a keeper")
        keeper = children(runner.pid)[0]
        wait_for(lambda: children(keeper), "QEMU")
        qemu = children(keeper)[0]
        # Stopped before its exec() it would hold its keeper up.
        wait_for(lambda: program(qemu) != program(keeper), "exec of QEMU")
        yield runner, keeper, qemu


def check_nothing_outlives(end):
    """After end(pid) neither QEMU nor its files are left. The exit status."""
    with booting("hangs") as (runner, keeper, qemu):
        cwd = Path(f"/proc/{keeper}/cmdline").read_bytes().split(b"\0")
        directory = os.fsdecode(cwd[3])
        assert os.path.isdir(directory), directory
        end(runner.pid)
    wait_for(lambda: not os.path.exists(f"/proc/{qemu}"), "QEMU's end")
    wait_for(lambda: not os.path.exists(directory), "removal of its files")
    return runner.returncode


def nothing_outlives_a_killed_runner():
    assert check_nothing_outlives(
        lambda pid: os.kill(pid, signal.SIGKILL)) == -signal.SIGKILL


def nothing_outlives_ctrl_c():
    """Which a terminal sends to all processes of the job."""
    assert check_nothing_outlives(
        lambda pid: os.killpg(pid, signal.SIGINT)) == 130


def check_boots_again(number, what):
    """After a signal to QEMU while it boots all is as if it had not been."""
    with booting("passes", options=("--boot-timeout", "10")) as (
            runner, _, qemu):
        os.kill(qemu, number)
        lines = [line.strip() for line in runner.stdout]
    assert runner.returncode == 0, lines
    expect(lines, "# 6.1: nothing heard of init: booting once more"
                  f" (QEMU: {what})",
           "# 6.1: 4 passed, 0 failed, 0 skipped in *")


def broken_emulator_boots_again():
    check_boots_again(signal.SIGSEGV, 128 + signal.SIGSEGV)


def stuck_emulator_boots_again():
    check_boots_again(signal.SIGSTOP, "stuck")


def slow_accelerator_is_none():
    assert runs_at_speed("tcg", CPUS["tcg"])
    assert not runs_at_speed("tcg", CPUS["tcg"], loops=(1 << 32) - 1)


TESTS = [every_program_gets_its_verdict, all_passed_is_success,
         a_panic_is_a_missing_plan, time_limit_ends_the_vm,
         time_limit_ends_a_vm_that_wrote_nothing,
         nothing_outlives_a_killed_runner, nothing_outlives_ctrl_c,
         broken_emulator_boots_again, stuck_emulator_boots_again,
         slow_accelerator_is_none]


if __name__ == "__main__":
    sys.exit(ktap_functions.main(TESTS))
