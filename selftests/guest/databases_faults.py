# SPDX-License-Identifier: GPL-2.0
"""What can happen to a hook and its servers, and how it has to end: writers go
on, and the host is told if its copy is not worth what it asked for."""

from databases import POSTGRESQL
from guest import CommandError
from guest_host import CONFIG, HOOK_DIR, Failed, check, check_equal
from qemu import VMError
from qga_client import AgentError

FAULTS = {"databases": [], "mysql": []}     # by the guest's image


def fault(*images):
    def add(function):
        for image in images:
            FAULTS[image].append(function)
        return function
    return add


def holder(load):
    """Prints the process that has the locks."""
    return ("pgrep -o -f '^/usr/lib/kfreeze/hooks.d/90-"
            f"{load.servers[0].name} freeze'")


def lose_application(load, command):
    """Something happens while frozen: thawed all the same, and reported."""
    load.host.freeze()
    load.guest.run(command)
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "lost")


@fault("databases", "mysql")
def holder_is_killed(load):
    lose_application(load, f"kill -9 $({holder(load)})")


@fault("databases", "mysql")
def client_is_killed(load):
    lose_application(load, f"kill -9 $(pgrep -P $({holder(load)}))")


@fault("databases", "mysql")
def server_dies(load):
    lose_application(load, "kill -9 $(pidof mariadbd mysqld)")


@fault("databases")
def server_is_stopped(load):
    """By another hook, as guides have it: before ours, whatever its name."""
    load.guest.push(f"{HOOK_DIR}/example-hook.sh", "#!/bin/sh\n"
                    '[ "$1" = freeze ] && exec systemctl stop mariadb\n'
                    "exec systemctl start mariadb\n", 0o755)
    load.host.freeze()
    load.host.thaw()
    cycle = load.host.last_cycle()
    check_equal(cycle["application"], "ok")
    check("90-mariadb" not in str(cycle["hooks"]), cycle["hooks"])


@fault("databases")
def host_never_thaws(load):
    """The freeze is lost at its deadline, the thaw hook runs at once."""
    load.guest.push(CONFIG, "[general]\ntimeout = 4\n")
    load.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    load.host.agent.sync(30)
    load.host.freeze()
    load.wait_commits(20)
    load.host.check_lost()


@fault("databases", "mysql")
def monitor_is_killed(load):
    """No thaw hook will run: the holder sees it and gives up its locks."""
    load.host.freeze()
    load.guest.run(f"kill -9 {load.host.main_pid('kfreeze-monitor')}")
    load.wait_commits(20)
    check_equal(load.guest.run(holder(load), check=False).out, "")
    load.host.check_lost()


@fault("databases")
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


def refuse_to_leave_out(load, hook, path):
    """@path is excluded; the policy is to refuse, and @hook does."""
    load.guest.push(CONFIG, f"[targets]\nexclude = {path}\n"
                    "[hooks]\npolicy = abort\n")
    load.guest.run("systemctl restart kfreeze-monitor kfreezed", 60)
    load.host.agent.sync(30)
    error = load.host.error_of("guest-fsfreeze-freeze")
    check(hook in error.desc, error.desc)
    hooks = load.host.last_cycle()["hooks"]
    check("is on a filesystem that is not to be frozen" in str(hooks), hooks)
    check_equal(load.host.status(), "thawed")


@fault("databases")
def tablespace_of_postgresql_is_left_out(load):
    refuse_to_leave_out(load, "50-postgresql", "/srv/space")


@fault("databases", "mysql")
def table_of_mysql_is_left_out(load):
    """One in a directory of its own."""
    server = load.servers[0]
    load.guest.run(f"ln -s /dev/null {HOOK_DIR}/50-postgresql; {server.client} t"
                   " -e 'CREATE TABLE apart (n INT PRIMARY KEY) ENGINE=InnoDB"
                   f" DATA DIRECTORY=\"{server.elsewhere}\"'")
    try:
        refuse_to_leave_out(load, f"90-{server.name}", "/srv/space")
    finally:
        load.guest.run(f"{server.client} t -e 'DROP TABLE apart'")


def wait_for_child(load, client, unit):
    """A freeze does, of one that saves: a tenth of a second for each key."""
    keys = " ".join(f"key:{n} x" for n in range(60))
    load.guest.run(f"{client} MSET {keys} && {client} CONFIG SET"
                   f" rdb-key-save-delay 100000 && {client} BGSAVE")
    children = f"pgrep -P $(systemctl show -p MainPID --value {unit})"
    check(load.guest.run(children, check=False).out, "no child")
    load.host.freeze()
    check_equal(load.guest.run(children, check=False).out, "")
    load.host.thaw()
    check_equal(load.host.last_cycle()["application"], "ok")


@fault("databases")
def child_of_redis_is_waited_for(load):
    wait_for_child(load, "redis-cli", "redis-aof")


THIRD_REDIS = """\
port 0
unixsocket /run/third/redis.sock
dir /srv/space/third
save ""
"""


@fault("databases")
def redis_of_a_file_and_a_socket_is_found(load):
    """Without a port, set up by a configuration of its own."""
    load.guest.push("/run/third.conf", THIRD_REDIS)
    load.guest.run("install -d -o redis -g redis /srv/space/third && systemd-run"
                   " -q --collect --unit=third -p User=redis -p Type=notify"
                   " -p RuntimeDirectory=third redis-server /run/third.conf"
                   " --supervised systemd")
    try:
        wait_for_child(load, "redis-cli -s /run/third/redis.sock", "third")
    finally:
        load.guest.run("systemctl stop third && rm -r /srv/space/third")


CLUSTER = "/srv/space/cluster"
CLUSTER_CONFIG = f"""\
data_directory = '{CLUSTER}'
hba_file = '/etc/postgresql/15/second/pg_hba.conf'
ident_file = '/etc/postgresql/15/second/pg_ident.conf'
external_pid_file = '/run/postgresql/15-second.pid'
unix_socket_directories = '/run/second'
port = 5499
shared_buffers = 8MB
"""


@fault("databases")
def second_cluster_is_found(load):
    """Of PostgreSQL, as pg_createcluster leaves it, elsewhere: what was its last
    checkpoint is older than the freeze."""
    seen = (f"{POSTGRESQL}/pg_controldata {CLUSTER}"
            " | grep '^Latest checkpoint location:'")
    load.guest.run(f"cp -a /var/lib/postgresql/15/main {CLUSTER}"
                   " && cp -a /etc/postgresql/15/main /etc/postgresql/15/second"
                   " && install -d -o postgres -g postgres /run/second", 60)
    load.guest.push("/etc/postgresql/15/second/postgresql.conf", CLUSTER_CONFIG)
    load.guest.run("systemctl start postgresql@15-second", 60)
    try:
        before = load.guest.run(seen).out
        load.host.freeze()
        during = load.guest.run(seen).out
        load.host.thaw()
        check(before != during, before)
        check_equal(load.host.last_cycle()["application"], "ok")
    finally:
        load.guest.run("systemctl stop postgresql@15-second && rm -r"
                       f" {CLUSTER} /etc/postgresql/15/second", 60)


SECOND = "/srv/space/second"
SECOND_SERVER = (
    f"systemd-run -q --collect --unit=second -p User=mysql mariadbd"
    f" --no-defaults --skip-networking --datadir={SECOND}"
    f" --socket={SECOND}/server.sock --pid-file={SECOND}/pid")


@fault("databases")
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


def run_all(results, load, image):
    for function in FAULTS[image]:
        problems = []
        try:
            load.host.reset()
            function(load)
            load.wait_commits(20, 180)  # a server may have to come up again
        except (Failed, CommandError, VMError, AgentError) as error:
            problems.append(str(error))
        results.add(f"fault: {function.__name__}", problems)
