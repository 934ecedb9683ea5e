# SPDX-License-Identifier: GPL-2.0
"""Database servers in a guest: how they are set up, loaded and examined.

Their files lie below /srv on disks of their own, DISKS. A writer commits
numbers 1, 2, 3, ...; a table has its writer's numbers and nothing else.
"""

import shlex
from dataclasses import dataclass

from guest import PROGRAMS, CommandError
from qemu import VMError

# By serial number, and what is mounted from them.
DISKS = {"data": 768, "space": 256, "wal": 256}
POSTGRESQL = "/usr/lib/postgresql/15/bin"
AS_POSTGRES = "setpriv --reuid=postgres --regid=postgres --clear-groups"
PSQL = f"{AS_POSTGRES} {POSTGRESQL}/psql -X -q -A -t -h /run/postgresql"


@dataclass(frozen=True)
class Writer:
    name: str
    statement: str      # @ is the number
    client: str
    count: str          # prints "ROWS LARGEST" of its table


class MariaDB:
    name = "mariadb"
    engines = ("InnoDB", "Aria", "MyISAM")
    directory = "/etc/mysql/mariadb.conf.d"
    # A repair on opening would hide what a copy is worth.
    config = """\
[mysqld]
datadir = /srv/data/mysql
innodb_buffer_pool_size = 32M
myisam_recover_options = OFF
"""
    own_config = "innodb_log_file_size = 16M\naria_recover_options = OFF\n"
    elsewhere = "/srv/space/tables"     # where a table may be told to go
    install = ("cp -a /var/lib/mysql /srv/data/mysql"
               f" && install -d -o mysql -g mysql {elsewhere}")

    def __init__(self):
        unit = f"{self.name}.service"
        self.units = (unit,)
        self.client = f"{self.name} --batch --skip-column-names --unbuffered"
        self.start = (f"rm -f /etc/systemd/system/{unit} && systemctl"
                      f" daemon-reload && systemctl start {unit}")
        self.stop = f"systemctl stop {unit}"

    def configure(self, guest):
        guest.push(f"{self.directory}/99-test.cnf",
                   self.config + self.own_config)

    def populate(self, guest):
        guest.run(f"{self.client} -e 'CREATE DATABASE t'")
        for engine in self.engines:
            guest.run(f"{self.client} t -e 'CREATE TABLE {engine} (n INT PRIMARY KEY,"
                      f" t VARCHAR(500)) ENGINE={engine}'")

    def writers(self):
        return [Writer(engine, f"INSERT IGNORE INTO {engine} VALUES"
                       " (@, REPEAT(CHAR(65 + @ % 26), @ % 500)); SELECT @;",
                       f"{self.client} t",
                       f"{self.client} t -e 'SELECT COUNT(*), COALESCE(MAX(n), 0)"
                       f" FROM {engine}'") for engine in self.engines]

    def examine(self, guest):
        """What is not as it must be, one string each."""
        tables = ", ".join(self.engines)
        rows = guest.run(f"{self.client} t -e 'CHECK TABLE {tables} EXTENDED'",
                         60).out.splitlines()
        return [row for row in rows if not row.endswith("\tstatus\tOK")]


class MySQL(MariaDB):
    name = "mysql"
    engines = ("InnoDB", "MyISAM")
    directory = "/etc/mysql/mysql.conf.d"
    own_config = ("performance_schema = OFF\n"
                  f"innodb_directories = {MariaDB.elsewhere}\n")


class PostgreSQL:
    """Its data, a tablespace, and pg_wal are filesystems of their own."""
    name = "postgresql"
    unit = "postgresql@15-main"
    units = (unit,)
    install = " && ".join([
        f"systemctl stop {unit}",
        "cp -a /var/lib/postgresql/15/main /srv/data/postgresql",
        "mv /srv/data/postgresql/pg_wal /srv/wal/pg_wal",
        "ln -s /srv/wal/pg_wal /srv/data/postgresql/pg_wal",
        f"{AS_POSTGRES} {POSTGRESQL}/pg_checksums --enable -D"
        " /srv/data/postgresql",
        "install -d -o postgres -g postgres /srv/space/t"])
    start = f"systemctl start {unit}"
    stop = f"systemctl stop {unit}"
    config = """\
data_directory = '/srv/data/postgresql'
hba_file = '/etc/postgresql/15/main/pg_hba.conf'
ident_file = '/etc/postgresql/15/main/pg_ident.conf'
external_pid_file = '/run/postgresql/15-main.pid'
unix_socket_directories = '/run/postgresql'
max_wal_size = 96MB
shared_buffers = 32MB
"""

    def configure(self, guest):
        guest.push("/etc/postgresql/15/main/postgresql.conf", self.config)

    def populate(self, guest):
        guest.run(f"{PSQL} -c \"CREATE TABLESPACE t LOCATION '/srv/space/t'\""
                  " -c 'CREATE EXTENSION amcheck'"
                  " -c 'CREATE TABLE here (n INT PRIMARY KEY)'"
                  " -c 'CREATE TABLE there (n INT PRIMARY KEY) TABLESPACE t'")

    def writers(self):
        """One, whose transactions are in both tables or in none."""
        insert = "INSERT INTO {} VALUES (@) ON CONFLICT DO NOTHING;"
        return [Writer("PostgreSQL", "BEGIN; " + insert.format("here")
                       + insert.format("there") + "COMMIT; SELECT @;", PSQL,
                       f"{PSQL} -F ' ' -c 'SELECT COUNT(*), COALESCE(MAX(n), 0)"
                       " FROM here NATURAL JOIN there'")]

    def examine(self, guest):
        job = guest.run(f"{AS_POSTGRES} {POSTGRESQL}/pg_amcheck -h"
                        " /run/postgresql --all --heapallindexed",
                        120, check=False)
        found = [job.out + job.err] if job.code else []
        odd = guest.run(f"{PSQL} -c 'SELECT COUNT(*) FROM here FULL JOIN there"
                        " USING (n) WHERE here IS NULL OR there IS NULL'").out
        if odd.strip() != "0":
            found.append(f"{odd.strip()} half transactions")
        guest.run(self.stop, 60)
        job = guest.run(f"{AS_POSTGRES} {POSTGRESQL}/pg_checksums --check -D"
                        " /srv/data/postgresql", 60, check=False)
        found += [job.out + job.err] if job.code else []
        guest.run(self.start, 60)
        return found


class Redis:
    """Two servers: one has an append-only file, the other saves snapshots."""
    name = "redis"
    install = "install -d -o redis -g redis /srv/data/aof /srv/data/rdb"
    options = {
        "aof": "--port 6379 --appendonly yes --appendfsync always",
        "rdb": "--port 6380 --appendonly no",
    }
    unit = """\
[Service]
User=redis
Type=notify
ExecStart=redis-server {options} --supervised systemd --save "" --dir {directory}
"""
    units = ("redis-aof", "redis-rdb")
    start = "systemctl daemon-reload && systemctl start " + " ".join(units)
    stop = "systemctl stop " + " ".join(units)

    def configure(self, guest):
        for kind, options in self.options.items():
            guest.push(f"/run/systemd/system/redis-{kind}.service",
                       self.unit.format(options=options,
                                        directory=f"/srv/data/{kind}"))

    def populate(self, guest):
        pass

    # It would go on without its server, and say nothing any more.
    client = ("sh -c 'redis-cli -p {port} 2>&1 |"
              " {{ sed -u \"/rror\\|Could not\\|LOADING/q\"; kill $$; }}'")

    def writers(self):
        return [Writer(name, f"ZADD t @ @\n{save}ECHO @",
                       self.client.format(port=port),
                       self.count.format(port=port))
                for name, save, port in (("AOF", "", 6379),
                                         ("RDB", "SAVE\n", 6380))]

    count = ("echo $(redis-cli -p {port} ZCARD t)"
             " $(redis-cli -p {port} ZRANGE t -1 -1)")

    def examine(self, guest):
        found = []
        for command in (
                "redis-check-aof /srv/data/aof/appendonlydir/*.manifest",
                "redis-check-rdb /srv/data/rdb/dump.rdb"):
            job = guest.run(command, 60, check=False)
            found += [job.out + job.err] if job.code else []
        return found


# By the guest's image.
SERVERS = {"databases": [MariaDB(), PostgreSQL(), Redis()],
           "mysql": [MySQL()]}


def mount(guest, serials):
    """serials: of the disks, in the order of DISKS."""
    for name, serial in zip(DISKS, serials):
        guest.run(f"mkdir -p /srv/{name} && mount"
                  f" /dev/disk/by-id/virtio-{serial} /srv/{name}")


def unmount(guest):
    guest.run("umount " + " ".join(f"/srv/{name}" for name in DISKS))


def start_writer(guest, writer):
    return guest.spawn(f"exec {PROGRAMS}/commits"
                       f" {shlex.quote(writer.statement)} {writer.client}")


def parse(output):
    """[(number, seconds), ...] of what commits.c printed, whole lines only."""
    lines = output.rpartition("\n")[0].splitlines()
    return [(int(number), int(when) / 1e9)
            for number, when in (line.split() for line in lines)]


def longest_gap(commits):
    times = [when for _, when in commits]
    return max(after - before for before, after in zip(times, times[1:]))


def count_problems(guest, writer, acked):
    """@acked: the largest number whose commit was acknowledged."""
    nr, largest = map(int, guest.run(writer.count, 60).out.split())
    found = []
    if nr != largest:
        found.append(f"{writer.name}: {nr} rows up to {largest}")
    if largest < acked:
        found.append(f"{writer.name}: {acked} was acknowledged, the last one"
                     f" is {largest}")
    return found


def examine_server(guest, server, acked):
    """Start a server on a copy. Returns a list of problems."""
    try:
        guest.run(server.start, 120)
        found = server.examine(guest)
        for writer in server.writers():
            found += count_problems(guest, writer, acked[writer.name])
        guest.run(server.stop, 120)
        return found
    except (CommandError, VMError) as error:
        guest.run(server.stop, 120, check=False)
        return [str(error)]
