# SPDX-License-Identifier: GPL-2.0
"""The three failures that hurt people, and what kfreeze makes of them."""

from qga_client import AgentError

TIMEOUT = 5             # of a freeze, in the first failure
HOOK_TIMEOUT = 2        # of a hook, in the third
PROMPT = 1.0            # seconds in which the death of a process is noticed
SLACK = 2.0             # an emulated guest is slow to wake up
HOOK = "/etc/kfreeze/hooks.d/10-hangs"
HOOK_LOG = "/var/log/qga-fsfreeze-hook.log"
LOST = "fsfreeze is limited"    # the words today's hosts look for

CONFIG = """\
[general]
timeout = {timeout}
[hooks]
timeout = {hook_timeout}
"""


def show_all(demo):
    host_never_thaws(demo)
    for unit in ("kfreezed", "kfreeze-monitor"):
        process_is_killed(demo, unit)
    hook_hangs(demo)


def configure(demo, timeout):
    text = CONFIG.format(timeout=timeout, hook_timeout=HOOK_TIMEOUT)
    demo.guest.push("/etc/kfreeze/kfreezed.conf", text)
    demo.guest.run("systemctl restart kfreeze-monitor kfreezed")
    demo.agent.sync(30)


def late_thaw_fails(demo, which):
    """The host learns that its snapshot is worth nothing."""
    demo.agent.sync(30)
    status = demo.agent.call("guest-fsfreeze-status")
    try:
        count = demo.agent.call("guest-fsfreeze-thaw", timeout=60)
        seen, failed = f"thaw returned {count}", False
    except AgentError as error:
        seen, failed = error.desc, LOST in error.desc
    demo.verdicts.check(f"{which}: the host's thaw is an error",
                        status == "frozen" and failed,
                        f"status {status}; {seen}")


def host_never_thaws(demo):
    say = demo.verdicts.say
    say("failure 1: the host freezes and never thaws")
    say("    (the stock agent: frozen until somebody resets the guest)")
    configure(demo, TIMEOUT)
    demo.freeze()
    moment, before = demo.uptime(), demo.progress()
    went_on = demo.wait_writers(before, TIMEOUT + 20)
    waited = demo.stall(moment).length
    demo.verdicts.check(
        "host never thaws: writers go on by themselves", went_on
        and TIMEOUT - 1 < waited < TIMEOUT + SLACK,
        f"after {waited:.2f} s, the limit being {TIMEOUT} s")
    late_thaw_fails(demo, "host never thaws")


def process_is_killed(demo, unit):
    say = demo.verdicts.say
    say(f"failure 2: {unit} is killed with -9 while frozen")
    say("    (the stock agent: frozen; a restarted one waits for the host)")
    configure(demo, 60)
    main_pid = f"systemctl show -p MainPID --value {unit}"
    pid = int(demo.guest.run(main_pid).out)
    demo.freeze()
    before = demo.progress()
    killed = demo.guest.run(f"cat /proc/uptime && kill -9 {pid}").out
    killed = float(killed.split()[0])
    went_on = demo.wait_writers(before)
    gap = demo.stall(killed).end - killed
    demo.verdicts.check(f"{unit} killed: thawed at once", pid and went_on
                        and 0 < gap < PROMPT, f"{gap:.2f} s after the kill")
    late_thaw_fails(demo, f"{unit} killed")


def hook_hangs(demo):
    say = demo.verdicts.say
    say("failure 3: a hook hangs")
    say("    (the stock agent: hangs with it, and answers nothing any more)")
    configure(demo, 60)
    demo.guest.push(HOOK, "#!/bin/sh\n"
                    '[ "$1" = freeze ] && echo waiting && exec sleep 1000\n'
                    "exit 0\n", 0o755)
    count, took = demo.freeze()
    demo.verdicts.check(
        "hook hangs: the freeze goes on", count == len(demo.filesystems)
        and HOOK_TIMEOUT <= took < HOOK_TIMEOUT + 3,
        f"{count} filesystems in {took:.2f} s, the limit being"
        f" {HOOK_TIMEOUT} s")
    thawed = demo.agent.call("guest-fsfreeze-thaw", timeout=60)
    demo.verdicts.check("hook hangs: the thaw succeeds", thawed == count,
                        f"{thawed} filesystems")
    hook_is_reported(demo)


def hook_is_reported(demo):
    """In the report to the host, in the stock agent's log, in the journal."""
    hooks = demo.agent.call("__org.kfreeze_report")["cycles"][-1]["hooks"]
    told = [hook for hook in hooks
            if hook["path"] == HOOK and hook["timed-out"]]
    lines = [demo.guest.run(command, check=False).out.strip() for command in (
        f"grep -c {HOOK} {HOOK_LOG}",
        f"journalctl -b --no-pager -u kfreeze-monitor | grep -c {HOOK}")]
    demo.verdicts.check(
        "hook hangs: it is reported", told and "0" not in lines and all(lines),
        f"timed out after {told[0]['duration-ns'] / 1e9:.2f} s, {lines[0]}"
        f" lines in {HOOK_LOG}, {lines[1]} in the journal" if told else "no")
