# SPDX-License-Identifier: GPL-2.0
"""The guest's own trace of a cycle: its tasks, and kfreeze's steps."""

TRACING = "/sys/kernel/tracing"
EVENTS = "sched/sched_switch kfreeze"
BUFFER_KIB = 32768              # of each CPU


class GuestTrace:
    """Into files of a directory."""

    def __init__(self, guest, directory):
        self._guest = guest
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def start(self):
        self._guest.run(f"cd {TRACING} && echo 0 >tracing_on && echo >trace"
                        f" && echo mono >trace_clock"
                        f" && echo {BUFFER_KIB} >buffer_size_kb"
                        f" && for event in {EVENTS}; do"
                        " echo 1 >events/$event/enable || exit 1; done"
                        " && echo 1 >tracing_on")

    def stop(self, name):
        self._guest.run(f"cd {TRACING} && echo 0 >tracing_on"
                        " && echo 0 >events/enable")
        text = self._guest.run(f"cat {TRACING}/trace", 120).out
        (self._directory / name).write_text(text, encoding="utf-8")
