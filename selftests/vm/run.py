#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Boot a kernel of kernels.txt and run test programs in it.

    run.py --kernel 6.1 kmod/freeze_test daemon/hooks_test

A TEST is named as in the source tree, or is the path of a program (with a
leading / or .). KTAP goes to standard output while it happens. Logs stay in
build/selftests/vm. Exit status 0: all that was planned has passed.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from pathlib import Path

VM_DIR = Path(__file__).resolve().parent
SELFTESTS = VM_DIR.parent
BUILD = SELFTESTS.parent / "build" / "selftests"
sys.path.insert(0, str(SELFTESTS))

from ktap import RESULT, Parser     # noqa: E402
from qemu import VM, Disk, VMError, accelerator, tail  # noqa: E402

LOG_SIZE = "1M"         # none of the programs makes the kernel say more
BOOT_SECONDS = 60       # of patience, beside the time limits of the programs
REBOOT_SECONDS = 30     # the same, from the last result to the end
LAST = "reboot_test"    # which init lets go on until then
TOOLS = ["mke2fs", "dmsetup", "lvm"]
# Of debug_kernel.sh, without ACPI, and what they are told. Of kcsan only the
# module is instrumented, which makes few accesses: it is watched closely.
DEBUG_KERNELS = {
    "kasan": "",
    "kasan-6.1": "",
    "kcsan": "kcsan.early_enable=1 kcsan.skip_watch=3"
             " kcsan.udelay_task=1000",
}


def say(kernel, text):
    print(f"# {kernel}: {text}", flush=True)


def output(*command):
    """The standard output of a script of ours; its errors are for the user."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def build_programs(tests):
    """Build init and the named tests; return the programs' paths."""
    paths = [Path(test) if test[0] in "/." else BUILD / test
             for test in tests]
    ours = [str(path) for path in paths if BUILD in path.parents]
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("MAKEFLAGS", "MAKELEVEL")}
    subprocess.run(["make", "-s", "--no-print-directory", "-C",
                    str(SELFTESTS), str(BUILD / "vm" / "init"), *ours],
                   check=True, stdout=sys.stderr, env=environment)
    return sorted(paths, key=lambda path: path.name == LAST)


def find_tool(name):
    for directory in ("/usr/sbin", "/sbin", "/usr/bin", "/bin"):
        if os.access(f"{directory}/{name}", os.X_OK):
            return f"{directory}/{name}"
    raise FileNotFoundError(f"{name}: not installed")


def path_in_vm(program):
    """As in the build tree, for programs that look for their neighbours."""
    if BUILD in program.parents:
        return f"/build/selftests/{program.relative_to(BUILD)}"
    return f"/test/{program.name}"


def initramfs_files(options, programs, work):
    """The FILE=DEST arguments of initramfs.sh."""
    tests = work / "tests"
    tests.write_text("".join(
        f"{options.program_timeout} {path_in_vm(path)}\n"
        for path in programs))
    files = [f"{BUILD}/vm/init=/init", f"{tests}=/tests",
             "/etc/mke2fs.conf=/etc/mke2fs.conf"]
    files += [f"{path}={path_in_vm(path)}" for path in programs]
    for tool in TOOLS + options.tool:
        files.append(f"{find_tool(tool)}=/usr/sbin/{tool}")
    if not options.no_module:
        say(options.kernel, "building the module")
        module = output(str(VM_DIR / "module.sh"), "build", options.kernel,
                        options.plant)
        files.append(f"{module}=/lib/modules/kfreeze.ko")
    return files + options.file


def read_skips(kernel):
    """The pairs (program, test) that may be skipped on this kernel."""
    rows = (line.split("#")[0].split()
            for line in (VM_DIR / "skips.txt").read_text().splitlines())
    return {tuple(row[1:]) for row in rows
            if row and any(fnmatch(kernel, pattern)
                           for pattern in row[0].split(","))}


class SkipPolicy:
    """Turns skips that nothing allows into failures.

    A subtest's program is known only when its result arrives, so the names
    of the programs are given in the order they run.
    """

    def __init__(self, allowed, programs):
        self.allowed = allowed
        self.programs = list(programs)

    def filter(self, line):
        result = RESULT.match(line)
        if not result:
            return line
        if not result[1]:
            self.programs = self.programs[1:]
        elif result[5] and not self._may_skip(result[4]):
            return (f"{result[1]}not ok {result[3]} {result[4]}"
                    f" # skipped against skips.txt: {result[6]}")
        return line

    def _may_skip(self, test):
        return bool(self.programs) and (self.programs[0],
                                        test) in self.allowed


def print_end(kernel, console):
    say(kernel, "the console ends with:")
    for line in tail(console).splitlines():
        print(f"#   {line}")


def start(vm, options):
    """Start the VM; once more if it gets stuck or breaks before init speaks.

    With QEMU 7.2 and tcg that has been seen. Nothing of what is tested has
    been loaded by then.
    """
    vm.start()
    report, deadline = vm.serials[1], time.monotonic() + options.boot_timeout
    while not report.stat().st_size:
        ended = vm.wait(0.1)
        if ended and not vm.has_crashed():
            return
        if ended or time.monotonic() > deadline:
            say(options.kernel, "nothing heard of init: booting once more"
                                f" (QEMU: {ended or 'stuck'})")
            print_end(options.kernel, vm.console)
            vm.restart()
            return


def follow(vm, path, is_complete):
    """The lines of a growing file until the VM is gone, as it should be soon
    once they are complete."""
    with open(path, encoding="utf-8", errors="replace") as log:
        rest, running, deadline = "", True, None
        while running:
            running = vm.wait(0.1) is None
            *lines, rest = (rest + log.read()).split("\n")
            yield from lines
            if is_complete() and not deadline:
                deadline = time.monotonic() + REBOOT_SECONDS
            if deadline and time.monotonic() > deadline:
                return
        if rest:
            yield rest


def run_tests(options, programs, vm):
    """Print the report of the VM as it comes; return the counts."""
    parser = Parser(options.kernel)
    policy = SkipPolicy(read_skips(options.kernel),
                        [path.name for path in programs])
    for line in follow(vm, vm.serials[1], parser.is_complete):
        line = policy.filter(line)
        print(line, flush=True)
        parser.feed(line)
    counts = parser.finish()
    if vm.status is None:
        counts.failures.append(f"{options.kernel}: the VM does not reboot")
    elif vm.status != "0":
        counts.failures.append(f"{options.kernel}: the VM ended: {vm.status}")
    return counts


def keep_logs(options, vm):
    """Copy the logs out of the VM's directory; return where they are."""
    directory = BUILD / "vm" / (options.kernel
                                + "-ioctl" * options.no_module)
    directory.mkdir(parents=True, exist_ok=True)
    for log in (*vm.serials, vm.dir / "qemu.log"):
        (directory / log.name).write_bytes(log.read_bytes())
    return directory


def boot(options, programs):
    """Build what the VM needs and run it; return the counts."""
    kernel = Path(output(str(VM_DIR / "kernel.sh"), "fetch", options.kernel))
    disks = output(str(VM_DIR / "disks.sh")).splitlines()
    timeout = options.timeout or (
        options.boot_timeout + len(programs) * (options.program_timeout + 15))
    # without ACPI there is one processor in every socket
    vm = VM(f"kfreeze-{options.kernel}", kernel=kernel / "vmlinuz",
            append="console=ttyS0 panic=-1 loglevel=7 printk.devkmsg=on"
                   f" log_buf_len={LOG_SIZE} {options.append}",
            disks=[Disk(path, cache="unsafe") for path in disks],
            serials=2, memory=options.memory, smp="2,sockets=2",
            timeout=timeout)
    try:
        initrd = vm.dir / "initramfs"
        output(str(VM_DIR / "initramfs.sh"), str(kernel), str(initrd),
               *initramfs_files(options, programs, vm.dir))
        vm.argv += ["-initrd", str(initrd)]
        say(options.kernel, f"booting linux {kernel.name}"
                            f" ({accelerator()}, at most {timeout} s)")
        start(vm, options)
        counts = run_tests(options, programs, vm)
        logs = keep_logs(options, vm)
        if counts.failures:
            say(options.kernel, f"{logs}: the logs")
        if vm.status != "0" or counts.planned != counts.seen:
            print_end(options.kernel, vm.console)
        return counts
    finally:
        vm.stop()


def arguments():
    parser = argparse.ArgumentParser(description="Run tests in a VM.")
    parser.add_argument("--kernel", default="6.1")
    parser.add_argument("--timeout", type=float, help="seconds for the VM")
    parser.add_argument("--boot-timeout", type=int, default=BOOT_SECONDS,
                        help="seconds until init speaks")
    parser.add_argument("--program-timeout", type=int, help="seconds for each")
    parser.add_argument("--memory", type=int, help="MiB")
    parser.add_argument("--append", default="", metavar="WORDS",
                        help="to the kernel's command line; NAME=VALUE gets"
                        " into the environment of the tests")
    parser.add_argument("--plant", default="", metavar="BUG",
                        help="build the module with this bug of plant/")
    parser.add_argument("--no-module", action="store_true",
                        help="neither build nor load kfreeze.ko")
    parser.add_argument("--file", action="append", default=[],
                        metavar="FILE=DEST", help="put it into the VM")
    parser.add_argument("--tool", action="append", default=[],
                        help="a program of this machine the tests run")
    parser.add_argument("test", nargs="+")
    options = parser.parse_args()
    debug = options.kernel in DEBUG_KERNELS
    if debug:
        options.append += (" acpi=off ktap_slow=5"
                           f" {DEBUG_KERNELS[options.kernel]}")
    options.memory = options.memory or (2048 if debug else 1024)
    options.program_timeout = (options.program_timeout
                               or (3600 if debug else 180))
    return options


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    started = time.monotonic()
    try:
        counts = boot(options, build_programs(options.test))
    except (VMError, OSError) as err:
        sys.exit(f"run.py: {err}")
    except subprocess.CalledProcessError as err:
        sys.exit(f"run.py: {err.cmd[0]}: failed")
    for failure in counts.failures:
        print(f"# failed: {failure}")
    say(options.kernel, f"{counts.passed} passed, {len(counts.failures)} "
        f"failed, {len(counts.skips)} skipped in "
        f"{time.monotonic() - started:.0f} s")
    return 1 if counts.failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
