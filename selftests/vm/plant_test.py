#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the debug kernels find bugs in the module?

Every patch of plant/ puts one in; the run of the tests must then fail, and
say the words that belong to it. Prints KTAP. With arguments, only these.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

VM_DIR = Path(__file__).resolve().parent
PATIENCE = 1200


@dataclass
class Bug:
    plant: str
    test: str
    words: tuple        # each in one line of the report
    kernel: str = "kasan"
    append: str = ""    # to the kernel's command line


BUGS = [
    Bug("use_after_free", "kmod/freeze_test",
        ("BUG: KASAN: slab-use-after-free in kfreeze_",)),
    Bug("leak", "kmod/freeze_test",
        ("unreferenced object", "kfreeze_", "nothing_leaked")),
    Bug("atomic_sleep", "kmod/freeze_test",
        ("BUG: sleeping function called from invalid context",)),
    Bug("hook_sleeps", "kmod/watchdog_test",
        ("BUG: sleeping function called from invalid context",), "kasan-6.1"),
    Bug("lock_order", "kmod/freeze_test",
        ("WARNING: possible circular locking dependency detected",
         "lockdep_watched_to_the_end")),
    Bug("live_timer", "kmod/freeze_test",
        ("ODEBUG: free active", "kfreeze_watchdog_fire")),
    Bug("error_path", "kmod/failnth_test",
        ("nothing_holds_the_module",)),
    # Rarely seen in the 20 rounds of a default run: on until the first report.
    Bug("data_race", "kmod/race_test",
        ("Kernel panic - not syncing: KCSAN", "[kfreeze]"), "kcsan",
        "race_rounds=400 panic_on_warn=1"),
]


def is_found(bug):
    """Complaints are comments or failed tests; passed ones do not count."""
    result = subprocess.run(
        [str(VM_DIR / "run.py"), "--kernel", bug.kernel, "--plant", bug.plant,
         "--append", bug.append, bug.test, str(VM_DIR / "health.sh")],
        text=True, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    lines = [line for line in map(str.strip, result.stdout.splitlines())
             if line.startswith(("#", "not ok"))]
    missing = [words for words in bug.words
               if not any(words in line for line in lines)]
    if result.returncode and not missing:
        return True
    print(f"# exit status {result.returncode}, not said: {missing}")
    for line in result.stdout.splitlines():
        print(f"#   {line}")
    return False


def main():
    bugs = [bug for bug in BUGS if bug.plant in (sys.argv[1:] or bug.plant)]
    print(f"KTAP version 1\n1..{len(bugs)}", flush=True)
    failed = 0
    for number, bug in enumerate(bugs, 1):
        found = is_found(bug)
        failed += not found
        print(f"{'ok' if found else 'not ok'} {number} {bug.plant}_is_found",
              flush=True)
    return 1 if failed or not bugs else 0


if __name__ == "__main__":
    sys.exit(main())
