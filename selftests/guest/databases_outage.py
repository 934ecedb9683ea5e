# SPDX-License-Identifier: GPL-2.0
"""How long applications are away: frozen by kfreeze, and beside it, in the same
guest, by the stock agent with a hook that stops a server and starts it again,
as guides for administrators have it."""

import shutil
from statistics import median

from guest import STOCK_UNIT

ROUNDS = 3
HOOK = "/etc/qemu/fsfreeze-hook.d/stop-and-start"
SCRIPT = """\
#!/bin/sh
case "$1" in
freeze) exec systemctl stop {units} ;;
thaw) exec systemctl start {units} ;;
esac
"""
DROP_IN = f"/{STOCK_UNIT}.d/hook.conf"
UNIT = """\
[Service]
ExecStart=
ExecStart=/usr/sbin/qemu-ga -F/etc/qemu/fsfreeze-hook
"""
# Of the time that stopping and starting takes, no more than one part in so many
# is without a commit: far less than what was seen, on any machine.
SMALL = 4


def use_stock_agent(load):
    """Without its log its script, run by dash, ends with an error."""
    load.guest.push(DROP_IN, UNIT)
    load.guest.run("systemctl stop kfreezed kfreeze-monitor"
                   f" && rm /{STOCK_UNIT} && touch /var/log/qga-fsfreeze-hook.log"
                   " && systemctl daemon-reload"
                   " && systemctl start qemu-guest-agent", 60)
    load.host.reconnect()
    load.host.agent.sync(60)


def put_kfreeze_back(load):
    load.guest.run(f"systemctl stop qemu-guest-agent && rm {HOOK}", 60)
    load.host.reset()


def stop_and_start(results, load, server, rounds):
    """The longest gaps beyond the host's hold, by writer: a list of each."""
    load.guest.push(HOOK, SCRIPT.format(units=" ".join(server.units)), 0o755)
    gaps = {writer.name: [] for writer in server.writers()}
    for number in range(1, rounds + 1):
        cycle = load.cycle(f"stock-{server.name}-{number}", gaps)
        shutil.rmtree(cycle.copy.directory)
        for name, times in gaps.items():
            times.append(cycle.beyond[name])
        results.add(f"{cycle.copy.name}: frozen and thawed by the stock agent",
                    cycle.problems)
    return gaps


def print_table(kfreeze, stock):
    print("# seconds without a commit beyond the host's hold: median, worst\n"
          f"# {'':12}{'kfreeze':>16}{'stop and start':>18}")
    for name, theirs in stock.items():
        ours = kfreeze[name]
        print(f"# {name:12}{median(ours):>8.2f}{max(ours):>8.2f}"
              f"{median(theirs):>10.2f}{max(theirs):>8.2f}", flush=True)


def compare(results, load, servers, kfreeze, rounds):
    """@kfreeze: by writer, the gaps of all rounds of this run."""
    use_stock_agent(load)
    for server in servers:
        stock = stop_and_start(results, load, server, rounds)
        print_table(kfreeze, stock)
        results.add(f"{server.name}: away for a small part of a stop and start",
                    [f"{name}: more than 1/{SMALL}"
                     for name, theirs in stock.items()
                     if median(kfreeze[name]) * SMALL > median(theirs)])
    put_kfreeze_back(load)
