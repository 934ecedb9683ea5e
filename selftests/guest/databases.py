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
MYSQL = "mariadb --batch --skip-column-names --unbuffered"
PSQL = "/usr/lib/postgresql/15/bin/psql -X -q -A -t"


@dataclass(frozen=True)
class Writer:
    name: str
    statement: str      # @ is the number
    client: str
    count: str          # prints "ROWS LARGEST" of its table


class MariaDB:
    name = "mariadb"
    engines = ("InnoDB", "Aria", "MyISAM")
    server = "mariadbd"
    config = """\
[mariadbd]
datadir = /srv/data/mysql
innodb_log_file_size = 16M
innodb_buffer_pool_size = 32M
# A repair on opening would hide what a copy is worth.
myisam_recover_options = OFF
aria_recover_options = OFF
"""
    install = "cp -a /var/lib/mysql /srv/data/mysql"
    start = ("rm -f /etc/systemd/system/mariadb.service && systemctl"
             " daemon-reload && systemctl start mariadb")
    stop = "systemctl stop mariadb"

    def configure(self, guest):
        guest.push("/etc/mysql/mariadb.conf.d/99-test.cnf", self.config)

    def populate(self, guest):
        guest.run(f"{MYSQL} -e 'CREATE DATABASE t'")
        for engine in self.engines:
            guest.run(f"{MYSQL} t -e 'CREATE TABLE {engine} (n INT PRIMARY KEY,"
                      f" t VARCHAR(500)) ENGINE={engine}'")

    def writers(self):
        return [Writer(engine, f"INSERT IGNORE INTO {engine} VALUES"
                       " (@, REPEAT(CHAR(65 + @ % 26), @ % 500)); SELECT @;",
                       f"{MYSQL} t",
                       f"{MYSQL} t -e 'SELECT COUNT(*), COALESCE(MAX(n), 0)"
                       f" FROM {engine}'") for engine in self.engines]

    def examine(self, guest):
        """What is not as it must be, one string each."""
        tables = ", ".join(self.engines)
        rows = guest.run(f"{MYSQL} t -e 'CHECK TABLE {tables} EXTENDED'",
                         60).out.splitlines()
        return [row for row in rows if not row.endswith("\tstatus\tOK")]


SERVERS = [MariaDB()]


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
