#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What kfreezed and qemu-ga say of the same guest, member by member.

Prints KTAP. One boot: disks on every bus, partitions, device mapper, md,
btrfs, loop, both agents at once, each on a port of its own.
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

from guest import PROGRAMS, Guest, build_product
from guest_dir import work_dir
from guest_host import Host, check, check_equal
from guest_suite import Suite
from qemu import Disk, Port
from qga_client import AgentClient

SUITE = Suite(__doc__)
STOCK_PORT = "stock"
HERE = Path(__file__).parent

# On buses that guest.py has no disks for; the serial number is the name.
BUSES = {
    "scsi-a": ["virtio-scsi-pci,id=scsi",
               "scsi-hd,bus=scsi.0,scsi-id=2,lun=1,serial=scsi-a"],
    "nvme-a": ["nvme,serial=nvme-a"],
    "sata-a": ["ich9-ahci,id=ahci", "ide-hd,bus=ahci.2,serial=sata-a"],
    "ide-a": ["ide-hd,bus=ide.1,serial=ide-a"],
    # after guest.py's own on the bus, whose names must stay
    "plain-a": ["virtio-blk-pci,addr=0x1e,discard=off,serial=plain-a"],
}

# Neither mdadm nor lvm2 is in the image: sysfs and dmsetup do the same.
LAYOUT = """\
set -e
hostname new-name
ln -sf ../usr/share/zoneinfo/Asia/Kolkata /etc/localtime
udevadm settle
disk() { readlink -f "$(find /dev/disk/by-id -name "*[-_]$1" | head -1)"; }
make() { mke2fs -q -t ext4 "$1" && mkdir -p "$2" && mount "$1" "$2"; }
scsi=$(disk scsi-a) nvme=$(disk nvme-a) sata=$(disk sata-a) ide=$(disk ide-a)
addpart $scsi 1 2048 65536 && addpart $scsi 2 67584 32768
addpart $nvme 1 2048 65536 && addpart $nvme 2 67584 32768
modprobe -a raid1 btrfs fuse loop
udevadm settle
make ${scsi}1 '/srv/with space'
make ${nvme}p1 /srv/nvme
make "$(disk plain-a)" /srv/plain
dmsetup create vg-data <<END
0 32768 linear ${scsi}2 0
32768 32768 linear ${nvme}p2 0
END
make /dev/mapper/vg-data /srv/dm
echo md_test >/sys/module/md_mod/parameters/new_array
cd /sys/block/md_test/md
echo none >metadata_version
echo raid1 >level
echo 2 >raid_disks
echo 65536 >component_size
cat /sys/class/block/${sata##*/}/dev >new_dev
cat /sys/class/block/${ide##*/}/dev >new_dev
echo 0 >dev-${sata##*/}/slot
echo 1 >dev-${ide##*/}/slot
echo active >array_state
cd /
make /dev/md_test /srv/md
mkfs.btrfs -q /dev/vdc && mkdir /srv/btrfs && mount /dev/vdc /srv/btrfs
truncate -s 16M /srv/image && make "$(losetup -f --show /srv/image)" /srv/loop
printf '[7] [00100] [ts/0] [%-8s] [%-12s] [%-20s] [%-15s] [%s]\\n' \
    alice tty1 '' 0.0.0.0 2026-03-01T10:00:00,123456+00:00 \
    bob tty2 '' 0.0.0.0 2026-03-01T11:00:00,500000+00:00 \
    alice tty3 '' 0.0.0.0 2026-03-01T09:30:00,250000+00:00 |
    utmpdump -r >/run/utmp
sync
udevadm settle
"""

STOCK_UNIT = f"""\
[Service]
ExecStart=/usr/sbin/qemu-ga -p /dev/virtio-ports/{STOCK_PORT}
"""


def ask_both(host, command, arguments=None):
    stock = host.stock.call(command, arguments, timeout=60)
    return stock, host.agent.call(command, arguments, timeout=60)


def by(key, elements):
    result = {element[key]: element for element in elements}
    check_equal(len(result), len(elements))
    return result


def check_members(ours, stock, added=()):
    """The same members with the same values, and those added since 7.2."""
    check_equal(set(ours) - set(stock), set(added))
    for key, value in stock.items():
        check_equal((key, ours[key]), (key, value))


@SUITE.test
def guest_info_lists_no_shell(host):
    info = host.agent.call("guest-info")
    names = {command["name"] for command in info["supported_commands"]}
    for name in ("guest-get-fsinfo", "guest-get-disks", "guest-set-time"):
        check(name in names, names)
    for name in ("guest-exec", "guest-exec-status", "guest-file-open",
                 "guest-set-user-password", "guest-ssh-get-authorized-keys"):
        check(name not in names, names)
        check_equal(host.error_of(name).klass, "CommandNotFound")


@SUITE.test
def same_names_and_users(host):
    for command in ("guest-get-host-name", "guest-get-timezone",
                    "guest-get-osinfo"):
        stock, ours = ask_both(host, command)
        check_members(ours, stock)
    check_equal(host.agent.call("guest-get-host-name"),
                {"host-name": "new-name"})
    stock, ours = ask_both(host, "guest-get-users")
    check_equal(set(by("user", stock)), {"alice", "bob"})
    for name, user in by("user", stock).items():
        check_members(by("user", ours)[name], user)


@SUITE.test
def same_load(host):
    """Not in 7.2: against the kernel's own words."""
    words = host.guest.run("cat /proc/loadavg").out.split()
    ours = host.agent.call("guest-get-load")
    for key, word in zip(("load1m", "load5m", "load15m"), words):
        check(abs(ours[key] - float(word)) < 0.3, (ours, words))


def check_growing(ours, stock):
    """Counters only grow; stock was asked first."""
    check_equal(set(ours), set(stock))
    for key, value in stock.items():
        if key in ("ios-pgr", "type"):
            check_equal(type(ours[key]), type(value))
        else:
            check(ours[key] >= value, (key, ours, stock))


@SUITE.test
def same_counters(host):
    stock, ours = ask_both(host, "guest-get-cpustats")
    check_equal(len(ours), len(stock))
    for cpu, element in by("cpu", stock).items():
        check_growing(by("cpu", ours)[cpu], element)
    stock, ours = ask_both(host, "guest-get-diskstats")
    check_equal(set(by("name", ours)), set(by("name", stock)))
    for name, disk in by("name", stock).items():
        ours_disk = by("name", ours)[name]
        check_growing(ours_disk.pop("stats"), disk.pop("stats"))
        check_members(ours_disk, disk)


@SUITE.test
def same_disks(host):
    stock, ours = ask_both(host, "guest-get-disks")
    stock, ours = by("name", stock), by("name", ours)
    check_equal(set(ours), set(stock))
    buses = set()
    for name, disk in stock.items():
        for side in (disk, ours[name]):
            side.get("dependencies", []).sort()
        if "smart" in disk:
            check_growing(ours[name].pop("smart"), disk.pop("smart"))
        check_members(ours[name], disk)
        buses.add(disk.get("address", {}).get("bus-type"))
    check_equal(buses, {None, "virtio", "scsi", "nvme", "sata", "ide"})
    check("vg-data" in {disk.get("alias") for disk in ours.values()}, ours)


@SUITE.test
def same_filesystems(host):
    host.guest.run("sync")
    stock, ours = ask_both(host, "guest-get-fsinfo")
    check_equal([fs["mountpoint"] for fs in ours],
                [fs["mountpoint"] for fs in stock])
    wanted = {"/", "/srv/with space", "/srv/nvme", "/srv/plain", "/srv/dm",
              "/srv/md", "/srv/btrfs", "/srv/loop"}
    check_equal({fs["mountpoint"] for fs in ours}, wanted)
    for fs, stock_fs in zip(ours, stock):
        for side in (fs, stock_fs):
            side["disk"].sort(key=lambda disk: disk["dev"])
        if fs["mountpoint"] == "/":     # the journal goes on
            difference = fs.pop("used-bytes") - stock_fs.pop("used-bytes")
            check(abs(difference) < 16 << 20, difference)
        check(fs["total-bytes-privileged"] >= fs["total-bytes"], fs)
        check_members(fs, stock_fs, added=["total-bytes-privileged"])
    check_equal(len(by("mountpoint", ours)["/srv/dm"]["disk"]), 2)
    check_equal(len(by("mountpoint", ours)["/srv/md"]["disk"]), 2)


@SUITE.test
def trims(host):
    """What was written and removed is given back; errors are stock's."""
    host.guest.run("cd '/srv/with space' && head -c 4M /dev/zero >x && sync"
                   " && rm x && sync")
    ours = by("path", host.agent.call("guest-fstrim", timeout=60)["paths"])
    check(ours["/srv/with space"]["trimmed"] >= 4 << 20, ours)
    stock, ours = ask_both(host, "guest-fstrim", {"minimum": 1 << 20})
    check_equal([result["path"] for result in ours["paths"]],
                [result["path"] for result in stock["paths"]])
    for result, stock_result in zip(ours["paths"], stock["paths"]):
        check_equal(set(result), set(stock_result))
        for key in ("error", "minimum"):
            check_equal(result.get(key), stock_result.get(key))
    check_equal(by("path", ours["paths"])["/srv/plain"]["error"],
                "trim not supported")


RTC = "cat /sys/class/rtc/rtc0/since_epoch"


def clock_difference(host, command, wanted):
    return abs(int(host.guest.run(command).out) - wanted)


@SUITE.test
def sets_the_time(host):
    then = 1900000000               # 2030
    check_equal(host.agent.call("guest-set-time", {"time": then * 10**9}), {})
    check(clock_difference(host, "date +%s", then) < 20, "system")
    check(clock_difference(host, RTC, then) < 20, "hardware")
    check(abs(host.agent.call("guest-get-time") // 10**9 - then) < 20, then)
    host.guest.run("date -s @1800000000")
    check_equal(host.agent.call("guest-set-time"), {})
    check(clock_difference(host, "date +%s", then) < 30, "system")
    check_equal(host.error_of("guest-set-time", {"time": -1}).desc,
                "Invalid time")


@SUITE.test
def without_a_hardware_clock(host):
    """The program that sets it says so, as with stock."""
    host.guest.run("mount --bind /bin/false /sbin/hwclock")
    try:
        error = host.error_of("guest-set-time")
        check_equal(error.desc, "child process has failed to set hardware"
                                " clock to system time: exit status 1")
    finally:
        host.guest.run("umount /sbin/hwclock")


@SUITE.test
def freeze_ends_a_command_that_hangs(host):
    """A trim of a disk that does not answer, and cannot be killed."""
    host.guest.run("head -c 1M /dev/zero >/srv/dm/x && sync && rm /srv/dm/x"
                   " && sync && dmsetup suspend --nolockfs --noflush vg-data")
    try:
        host.agent.send_command("guest-fstrim", ident="trim")
        wait = ("until pgrep -x kfreeze-query >/run/pid && "
                "grep -q '^State:.D' /proc/$(cat /run/pid)/status; do :; done")
        host.guest.run(wait, 20)
        check_equal(host.agent.call("guest-ping", timeout=10), {})
        host.agent.send_command("guest-fsfreeze-freeze-list",
                                {"mountpoints": ["/srv/nvme"]}, "freeze")
        trim = host.agent.read_reply(20)
        check_equal(trim["id"], "trim")
        check_equal(trim["error"]["desc"], "a freeze is under way")
        check_equal(host.agent.wait_result(30, "freeze"), 1)
        check_equal(host.error_of("guest-get-fsinfo").klass, "CommandNotFound")
        check_equal(host.thaw(), 1)
        check(host.agent.call("guest-get-disks"), "no disks")
    finally:
        host.guest.run("dmsetup resume vg-data")
    host.guest.run("while pgrep -x kfreeze-query; do :; done", 20)


@SUITE.test
def fuse_that_hangs_is_left_alone(host):
    host.guest.run("mkdir -p /srv/silent")
    job = host.guest.spawn(f"exec {PROGRAMS}/silent_fuse /dev/vdd /srv/silent")
    check(host.guest.pump(lambda: "mounted" in job.out, 10), job.err)
    try:
        ours = by("mountpoint", host.agent.call("guest-get-fsinfo", timeout=8))
        check("used-bytes" not in ours["/srv/silent"], ours)
        check_equal(ours["/srv/silent"]["type"], "fuseblk")
        check_equal(ours["/srv/silent"]["disk"][0]["dev"], "/dev/vdd")
        check("used-bytes" in ours["/srv/nvme"], ours)
        paths = by("path", host.agent.call("guest-fstrim", timeout=60)["paths"])
        check("trimmed" not in paths["/srv/silent"], paths)
    finally:
        job.kill()
        host.guest.run("umount -l /srv/silent")


def make_disk(path):
    with open(path, "wb") as disk:
        disk.truncate(128 << 20)
    return path


def bus_arguments(work):
    for name, devices in BUSES.items():
        yield from ("-drive", f"if=none,id={name},format=raw,discard=unmap,"
                              f"file={make_disk(work / name)}")
        for device in devices[:-1]:
            yield from ("-device", device)
        yield from ("-device", f"{devices[-1]},drive={name}")


def run(options):
    with work_dir() as work:
        build_product(work / "install", options.kernel)
        disks = [Disk(str(make_disk(work / name)), snapshot=False, serial=name)
                 for name in ("virtio-a", "virtio-b")]
        guest = Guest("query", kernel=options.kernel, timeout=options.timeout,
                      install=work / "install", disks=disks,
                      ports=[Port(STOCK_PORT)],
                      programs=[HERE / "silent_fuse.c"],
                      extra=list(bus_arguments(work)))
        with guest:
            guest.wait_boot()
            guest.run(LAYOUT, 60)
            guest.push("/run/systemd/system/stock.service", STOCK_UNIT)
            guest.run("systemctl daemon-reload && systemctl start stock")
            host = Host(guest)
            host.stock = AgentClient(guest.connect(STOCK_PORT))
            host.stock.sync(30)
            host.agent.sync(30)
            yield "", host, lambda host: host.agent.sync(30)


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
