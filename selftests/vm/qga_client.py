# SPDX-License-Identifier: GPL-2.0
"""The host's side of a guest agent channel, as a backup service has it."""

import itertools
import json
import os
import time

SENTINEL = b"\xff"


class AgentError(Exception):
    """The agent answered with an error."""

    def __init__(self, error):
        self.klass = error.get("class", "")
        self.desc = error.get("desc", "")
        super().__init__(f"{self.klass}: {self.desc}")


class AgentTimeout(Exception):
    """The agent did not answer in time; sync() before the next command."""


class AgentClient:
    """Talks over one connected stream socket, which it owns."""

    _ids = itertools.count(os.getpid() * 1000)

    def __init__(self, sock):
        self._sock = sock
        self._input = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._sock.close()

    def send(self, data):
        self._sock.settimeout(10)
        self._sock.sendall(data)

    def send_command(self, name, arguments=None, ident=None):
        request = {"execute": name}
        if arguments is not None:
            request["arguments"] = arguments
        if ident is not None:
            request["id"] = ident
        self.send(json.dumps(request).encode() + b"\n")

    def sync(self, timeout=10):
        """Drop what an earlier client left behind, on both sides."""
        ident = next(self._ids)
        deadline = time.monotonic() + timeout
        self.send(SENTINEL)
        self.send_command("guest-sync-delimited", {"id": ident})
        while True:
            self._read_until(SENTINEL, deadline)
            reply = self.read_reply(deadline - time.monotonic())
            if reply.get("return") == ident:
                return

    def read_reply(self, timeout):
        """The next line as a dict."""
        line = self._read_until(b"\n", time.monotonic() + timeout)
        reply = json.loads(line)
        if not isinstance(reply, dict):
            raise ValueError(f"the agent sent {line!r}")
        return reply

    def wait_result(self, timeout, ident=None):
        """The value of the reply; raises AgentError if it is an error."""
        deadline = time.monotonic() + timeout
        while True:
            reply = self.read_reply(deadline - time.monotonic())
            if ident is None or reply.get("id") == ident:
                break
        if "error" in reply:
            raise AgentError(reply["error"])
        return reply["return"]

    def call(self, name, arguments=None, timeout=30):
        ident = next(self._ids)
        self.send_command(name, arguments, ident)
        return self.wait_result(timeout, ident)

    def _read_until(self, mark, deadline):
        """What comes before mark; mark itself is consumed."""
        while mark not in self._input:
            self._sock.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                data = self._sock.recv(65536)
            except TimeoutError:
                raise AgentTimeout("the agent does not answer") from None
            if not data:
                raise ConnectionError("the agent's channel was closed")
            self._input += data
        head, self._input = self._input.split(mark, 1)
        return head
