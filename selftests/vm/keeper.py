#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Keep one command alive only as long as its owner wants it.

    keeper.py TIMEOUT DIR COMMAND...

Standard input is the lifeline: the owner holds its other end, so however the
owner dies, kill -9 included, the lifeline ends; then COMMAND is killed and DIR
removed.  COMMAND is also killed after TIMEOUT seconds.  If the keeper itself is
killed, the kernel kills COMMAND.  When COMMAND is gone its status is written to
standard output: the exit status, 128 + signal, or "timeout".  An owner whose
last words are "keep" wants DIR to stay.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1
TERM_GRACE = 2


def die_with_parent(libc, parent):
    """In the child, before exec: be killed when the keeper is."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the call above
        os._exit(1)


def start(command):
    libc, keeper = ctypes.CDLL(None), os.getpid()
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr,
        preexec_fn=lambda: die_with_parent(libc, keeper))


def stop(child):
    child.terminate()
    try:
        child.wait(TERM_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def keep(child, timeout):
    """Wait for the first of: child ends, lifeline ends, time is up."""
    pidfd = os.pidfd_open(child.pid)
    events, _, _ = select.select([sys.stdin, pidfd], [], [], timeout)
    os.close(pidfd)
    if child.poll() is None:
        stop(child)
    if not events:
        return "timeout"
    code = child.returncode
    return str(code if code >= 0 else 128 - code)


def main(argv):
    timeout, directory, command = float(argv[1]), argv[2], argv[3:]
    for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sig, lambda number, _: sys.exit(128 + number))
    child, last_words = None, ""
    try:
        child = start(command)
        print(keep(child, timeout), flush=True)
        last_words = sys.stdin.read()   # until then DIR is of use
    except BrokenPipeError:
        pass
    except OSError as err:
        print(f"{command[0]}: cannot start: {err.strerror}", file=sys.stderr)
    finally:
        if child and child.poll() is None:
            child.kill()
            child.wait()
        if last_words != "keep":
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv)
