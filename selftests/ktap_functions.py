# SPDX-License-Identifier: GPL-2.0
"""Functions as tests: run one after the other, told as KTAP.

    sys.exit(ktap_functions.main([this_holds, that_holds]))
"""


class Skip(Exception):
    """Raised by a test: why it cannot be run here."""


def _run(name, test):
    """Print one result; true unless it is a failure."""
    try:
        test()
    except Skip as reason:
        print(f"ok {name} # SKIP {reason}", flush=True)
    except Exception as error:  # whatever it is, the test has failed
        for line in f"{type(error).__name__}: {error}".splitlines():
            print(f"#   {line}")
        print(f"not ok {name}", flush=True)
        return False
    else:
        print(f"ok {name}", flush=True)
    return True


def main(tests):
    """The exit status."""
    print(f"KTAP version 1\n1..{len(tests)}", flush=True)
    passed = [_run(f"{number} {test.__name__}", test)
              for number, test in enumerate(tests, 1)]
    return 0 if all(passed) else 1
