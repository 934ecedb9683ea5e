#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run fuzz targets, each for some seconds, from the corpora of the tree.

Prints KTAP. What a run has learnt, and what made a target fail, stays in
build/selftests/fuzz: a failure is run again by giving its file to the target.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_SECONDS = 60      # of patience, beside the time to run
RUNS = re.compile(r"Done (\d+) runs")


def fuzz(program, seconds):
    """True if the target found nothing and ran more than its corpus."""
    name = program.name.removesuffix("_fuzz")
    learnt = program.parent / "learnt" / name
    learnt.mkdir(parents=True, exist_ok=True)
    given = HERE / "corpus" / name
    try:
        done = subprocess.run(
            [program, f"-max_total_time={seconds}", "-timeout=20",
             "-rss_limit_mb=1024", "-print_final_stats=0", "-verbosity=1",
             f"-artifact_prefix={program}-", learnt, given],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=seconds + START_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"# {name}: does not end")
        return False
    runs = RUNS.search(done.stdout)
    nr_runs = int(runs.group(1)) if runs else 0
    nr_given = len(list(given.iterdir()))
    print(f"# {name}: {nr_runs} runs in {seconds} s")
    if done.returncode == 0 and nr_given and nr_runs > nr_given:
        return True
    for line in done.stdout.splitlines()[-40:]:
        print(f"# {line}")
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("programs", nargs="+", type=Path)
    options = parser.parse_args()
    print(f"KTAP version 1\n1..{len(options.programs)}", flush=True)
    failed = 0
    for number, program in enumerate(options.programs, 1):
        passed = fuzz(program.resolve(), options.seconds)
        failed += not passed
        print(f"{'ok' if passed else 'not ok'} {number} {program.name}",
              flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
