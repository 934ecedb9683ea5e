# SPDX-License-Identifier: GPL-2.0
"""The guest's clock, as the host can tell it."""

import struct
import time

SAMPLES = 30


class GuestClock:
    """Over a socket to clock.c's port, which it owns."""

    def __init__(self, sock):
        self._sock = sock
        self._sock.settimeout(30)
        self._offset = 0

    def close(self):
        self._sock.close()

    def align(self):
        """Anew, as clocks drift; the quickest of some answers tells best."""
        self._offset = min(self._ask() for _ in range(SAMPLES))[1]

    def _ask(self):
        """(round trip, offset of the guest's clock to the host's)."""
        before = time.monotonic_ns()
        self._sock.sendall(b"?")
        answer = b""
        while len(answer) < 8:
            answer += self._sock.recv(8 - len(answer))
        after = time.monotonic_ns()
        return (after - before,
                struct.unpack("=Q", answer)[0] - (before + after) // 2)

    def of(self, host_ns):
        """What the guest's clock said at a moment of time.monotonic_ns()."""
        return host_ns + self._offset
