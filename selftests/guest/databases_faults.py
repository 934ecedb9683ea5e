# SPDX-License-Identifier: GPL-2.0
"""What can happen to a hook and its servers, and how it has to end: writers go
on, and the host is told if its copy is not worth what it asked for."""

from guest import CommandError
from guest_host import CONFIG, HOOK_DIR, Failed, check, check_equal
from qemu import VMError
from qga_client import AgentError

HOLDER = "pgrep -o -f '^/usr/lib/kfreeze/hooks.d/90-mariadb freeze'"
FAULTS = []


def fault(function):
    FAULTS.append(function)
    return function


def lose_application(load, command):
    """Something happens while frozen: thawed all the same, and reported."""
    load.host.freeze()
    load.guest.run(command)
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "lost")


@fault
def holder_is_killed(load):
    lose_application(load, f"kill -9 $({HOLDER})")


@fault
def client_is_killed(load):
    lose_application(load, f"kill -9 $(pgrep -P $({HOLDER}))")


@fault
def server_dies(load):
    lose_application(load, "kill -9 $(pidof mariadbd)")


@fault
def server_is_stopped(load):
    """By another hook, as guides have it, after the lock was taken."""
    load.guest.push(f"{HOOK_DIR}/95-stops", "#!/bin/sh\n"
                    '[ "$1" = freeze ] && exec systemctl stop mariadb\n'
                    "exec systemctl start mariadb\n", 0o755)
    lose_application(load, "true")


@fault
def host_never_thaws(load):
    """The freeze is lost at its deadline, the thaw hook runs at once."""
    load.guest.push(CONFIG, "[general]\ntimeout = 4\n")
    load.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    load.host.agent.sync(30)
    load.host.freeze()
    load.wait_commits(20)
    load.host.check_lost()


@fault
def monitor_is_killed(load):
    """No thaw hook will run: the holder sees it and gives up its locks."""
    load.host.freeze()
    load.guest.run(f"kill -9 {load.host.main_pid('kfreeze-monitor')}")
    load.wait_commits(20)
    check_equal(load.guest.run(HOLDER, check=False).out, "")
    load.host.check_lost()


@fault
def table_stays_locked(load):
    """Waiting for it is bounded, and what is not consistent is reported."""
    locker = load.guest.spawn("mariadb t -e 'LOCK TABLE MyISAM WRITE;"
                              " SELECT SLEEP(1000)'")
    check(load.guest.pump(lambda: is_locked(load), 20), "no lock")
    load.host.freeze()
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "failed")
    load.guest.run("mariadb -e \"KILL $(mariadb -N -e 'SELECT ID FROM"
                   " information_schema.PROCESSLIST WHERE INFO LIKE"
                   " \"SELECT SLEEP%\"')\"")
    check(locker.wait(20), "still locked")


@fault
def part_of_a_server_is_left_out(load):
    """PostgreSQL's tablespace: refused where the policy is to refuse."""
    load.guest.push(CONFIG, "[targets]\nexclude = /srv/space\n"
                    "[hooks]\npolicy = abort\n")
    load.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    load.host.agent.sync(30)
    error = load.host.error_of("guest-fsfreeze-freeze")
    check("50-postgresql" in error.desc, error.desc)
    hooks = load.host.last_cycle()["hooks"]
    check("is on a filesystem that is not to be frozen" in str(hooks),
          hooks)


@fault
def child_of_redis_is_waited_for(load):
    keys = " ".join(f"key:{n} x" for n in range(20))
    load.guest.run(f"redis-cli MSET {keys} && redis-cli CONFIG SET"
                   " rdb-key-save-delay 100000 && redis-cli BGSAVE")
    children = "pgrep -P $(systemctl show -p MainPID --value redis-aof)"
    check(load.guest.run(children, check=False).out, "no child")
    load.host.freeze()
    check_equal(load.guest.run(children, check=False).out, "")
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "ok")


SECOND = "/srv/space/second"
SECOND_SERVER = (
    f"systemd-run -q --collect --unit=second -p User=mysql mariadbd"
    f" --no-defaults --skip-networking --datadir={SECOND}"
    f" --socket={SECOND}/server.sock --pid-file={SECOND}/pid")


@fault
def second_server_is_found(load):
    """Started by hand, with a socket where no option file has one."""
    load.guest.run(f"cp -a /var/lib/mysql {SECOND} && {SECOND_SERVER}", 60)
    load.guest.run(f"until mariadb -S {SECOND}/server.sock -e 'SELECT 1';"
                   " do sleep 0.2; done", 60)
    load.host.freeze()
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "ok")
    for directory in ("/srv/data/mysql", SECOND):
        load.guest.run(f"until grep ' {directory}: unlocked after'"
                       " /var/log/qga-fsfreeze-hook.log; do sleep 0.2; done", 30)
    load.guest.run(f"systemctl stop second && rm -r {SECOND}", 60)


def is_locked(load):
    return "SLEEP" in load.guest.run("mariadb -e 'SHOW PROCESSLIST'").out


def run_all(results, load):
    for function in FAULTS:
        problems = []
        try:
            load.host.reset()
            function(load)
            load.wait_commits(20)
        except (Failed, CommandError, VMError, AgentError) as error:
            problems.append(str(error))
        results.add(f"fault: {function.__name__}", problems)
