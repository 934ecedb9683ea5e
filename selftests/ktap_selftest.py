#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do ktap.h and ktap.py tell passed from failed?

    ktap_selftest.py SAMPLE

SAMPLE is ktap_sample.c, built. Prints KTAP.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import ktap_functions
from ktap import Parser

KTAP = Path(__file__).with_name("ktap.py")
SAMPLE = sys.argv[1] if len(sys.argv) > 1 else None

SAMPLE_SAYS = """\
KTAP version 1
1..7
# teardown
ok 1 passes
# ktap_sample.c: 1 + 1 == 3 is false (errno: No such file or directory)
# teardown
not ok 2 check_fails
# ktap_sample.c: 1 + 1 == 3: 2 is not 3
# teardown
not ok 3 check_eq_fails
# ktap_sample.c: "a" == NULL: "a" is not "(null)"
# teardown
not ok 4 check_streq_fails
# teardown
ok 5 skips # SKIP no such feature
# ktap_sample S
# ktap_orphan S
# teardown
# killed after 1 s
not ok 6 hangs
# teardown
# killed by signal 9 (Killed)
not ok 7 crashes
"""

# What a program says: how many pass, which fail, which are skipped.
PARSED = [
    ("1..2\nok 1 a\nok 2 - b\n", 2, [], []),
    ("1..1\nnot ok 1 a\n", 0, ["p: a"], []),
    ("1..1\nok 1 a # SKIP why\n", 0, [], ["p: a: why"]),
    ("1..1\nok 1 a # a remark\n", 1, [], []),
    ("1..1\nnot ok 1 a # a remark\n", 0, ["p: a"], []),
    ("# x\n1..2\n#  why\nnot ok 1 a\n# y\nok 2 b\n# z\n", 1,
     ["p: a\n#   x\n#   why"], []),
    ("1..2\nok 1 a\n", 1, ["p: 2 planned, 1 seen"], []),
    ("ok 1 a\n", 1, ["p: no plan"], []),
    ("", 0, ["p: no plan"], []),
    ("1..1\nBail out! no disk\n", 0,
     ["p: Bail out! no disk", "p: 1 planned, 0 seen"], []),
    # A test with subtests: these are counted, it is not.
    ("1..1\n    1..2\n    ok 1 a\n    ok 2 b\nok 1 all\n", 2, [], []),
    ("1..1\n    1..1\n    # why\n    not ok 1 a\n# no\nnot ok 1 all\n", 0,
     ["p: all: a\n#   why"], []),
    ("1..1\n    1..1\n    ok 1 a\nnot ok 1 all\n", 1, ["p: all"], []),
    ("1..1\n    1..2\n    ok 1 a\nok 1 all\n", 1,
     ["p: all: 2 planned, 1 seen"], []),
    ("1..1\n    1..1\n    ok 1 a\n", 1,
     ["p: 1 planned, 0 seen"], []),
    ("1..2\n    1..1\n    ok 1 a\nok 1 all\nok 2 b\n", 2, [], []),
]


def parser_counts():
    for text, passed, failures, skips in PARSED:
        parser = Parser("p")
        for line in text.splitlines():
            parser.feed(line)
        counts = parser.finish()
        assert (counts.passed, counts.failures, counts.skips) == \
            (passed, failures, skips), \
            f"{text!r}: {counts.passed} {counts.failures} {counts.skips}"


def sample(*arguments):
    return subprocess.run([SAMPLE, *arguments], stdout=subprocess.PIPE,
                          text=True, timeout=20, check=False)


def header_reports_every_end():
    result = sample()
    text = re.sub(r"# \S*ktap_sample.c:\d+:", "# ktap_sample.c:",
                  result.stdout)
    text = re.sub(r"\[\d+\] S: .*pause.*", " S", text)
    assert text == SAMPLE_SAYS, text
    assert result.returncode == 1


def nothing_of_a_hung_test_is_left():
    """The output ends only when nobody holds it any more."""
    try:
        sample("hangs")
    except subprocess.TimeoutExpired:
        raise AssertionError("somebody still holds the output") from None


def names_select_tests():
    result = sample("passes")
    assert result.stdout == "KTAP version 1\n1..1\n# teardown\nok 1 passes\n"
    assert result.returncode == 0


def no_test_of_that_name_is_an_error():
    assert sample("nonsense").returncode != 0


def ktap(*arguments):
    """The lines of ktap.py about what failed, and its last line."""
    result = subprocess.run([KTAP, *arguments], stdout=subprocess.PIPE,
                            text=True, timeout=60, check=False)
    lines = result.stdout.splitlines()
    assert result.returncode != 0, lines
    return [line for line in lines if line.startswith("# failed")] + \
        lines[-1:]


def status_without_a_failure_counts():
    lines = ktap("echo 1..1; echo ok 1 a; exit 3")
    assert lines == ["# failed: echo: ended with status 3",
                     "1 passed, 1 failed, 0 skipped"], lines


def time_limit_counts():
    lines = ktap("--timeout", "1", "echo 1..1; echo ok 1 a; exec sleep 60")
    assert lines == ["# failed: echo: killed after 1 s",
                     "1 passed, 1 failed, 0 skipped"], lines


FIFO = """\
cd {0} && echo 1..1 && {1} fifo && echo ok 1 {2}"""


def programs_side_by_side_keep_their_lines():
    """The first ends only when the second has run; each says its lines."""
    with tempfile.TemporaryDirectory() as path:
        os.mkfifo(f"{path}/fifo")
        lines = ktap("--jobs", "2", "--timeout", "30",
                     FIFO.format(path, "read x <", "a"),
                     FIFO.format(path, "echo >", "b"),
                     "echo 1..1; echo not ok 1 c")
    assert lines == ["# failed: echo: c", "2 passed, 1 failed, 0 skipped"], \
        lines


def end_ends_the_programs():
    """TERM reaches what runs, and nothing else is started."""
    command = "echo 1..1; echo here >&2; exec sleep 60"
    process = subprocess.Popen(
        [KTAP, "--jobs", "2", command, command, "echo never"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [process.stderr.readline() for _ in range(2)] == ["here\n"] * 2
    process.terminate()
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 143, process.returncode
    assert "started: echo never" not in out, out


def nothing_run_is_no_success():
    assert ktap("echo 1..0") == ["0 passed, 0 failed, 0 skipped"]


TESTS = [parser_counts, header_reports_every_end,
         nothing_of_a_hung_test_is_left, names_select_tests,
         no_test_of_that_name_is_an_error, status_without_a_failure_counts,
         time_limit_counts, programs_side_by_side_keep_their_lines,
         end_ends_the_programs, nothing_run_is_no_success]


if __name__ == "__main__":
    sys.exit(ktap_functions.main(TESTS))
