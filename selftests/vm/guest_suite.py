# SPDX-License-Identifier: GPL-2.0
"""The tests of one file, run in a guest one after the other; prints KTAP.

    SUITE = Suite(__doc__)

    @SUITE.test
    def freeze_and_thaw(host): ...

    sys.exit(SUITE.main(run))

run(options) is a generator that boots what the tests need and yields rounds of
(prefix, host, reset): in each, every test runs with host, after reset(host).
"""

import argparse
import signal
import traceback
from pathlib import Path

from guest import CommandError, default_kernel
from qemu import VMError


class Suite:
    def __init__(self, doc, rounds=1, timeout=600, images=("base",)):
        self.tests = []
        self._rounds = rounds           # that main()'s run will yield
        self._parser = argparse.ArgumentParser(description=doc.splitlines()[0])
        self._parser.add_argument("--kernel", default=default_kernel())
        self._parser.add_argument("--timeout", type=int, default=timeout,
                                  help="seconds that the VM may live")
        self._parser.add_argument("--image", choices=images, default=images[0],
                                  help="of guest_image.sh")
        self._parser.add_argument("tests", nargs="*")

    def test(self, function):
        self.tests.append(function)
        return function

    def main(self, run):
        """The exit status; a signal ends the run and its VM."""
        options = self._parser.parse_args()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _exit)
        chosen = [function for function in self.tests
                  if not options.tests or function.__name__ in options.tests]
        print(f"KTAP version 1\n1..{self._rounds * len(chosen)}", flush=True)
        passed = number = 0
        try:
            for prefix, host, reset in run(options):
                for function in chosen:
                    number += 1
                    passed += _run_test(f"{number} {prefix}{function.__name__}",
                                        function, host, reset)
        except (VMError, CommandError) as error:
            print(f"Bail out! {error}", flush=True)
            return 1
        return 0 if passed == number else 1


def _exit(number, _):
    raise SystemExit(128 + number)


def _run_test(name, function, host, reset):
    try:
        reset(host)
        function(host)
        result = "ok"
    except Exception as error:  # whatever it is, the test has failed
        where = traceback.extract_tb(error.__traceback__)[-1]
        print(f"# {Path(where.filename).name}:{where.lineno}:"
              f" {type(error).__name__}: {error}".replace("\n", "\n# "))
        result = "not ok"
    print(f"{result} {name}", flush=True)
    return result == "ok"
