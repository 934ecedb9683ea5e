#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The module under DKMS: a Debian 12 with two kernels, installed to, booted.

Prints KTAP. Packages and DKMS run in a chroot, where they are fast; what they
made is booted in a guest.
"""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "vm"))

from guest import HERE, TOP, Guest, System, output_of
from guest_dir import work_dir
from guest_host import Host, check, check_equal
from guest_suite import Suite

MODULE = "updates/dkms/kfreeze.ko*"     # Debian compresses newer ones
SIGNER = "DKMS module signing key"
UNSUPPORTED = "9.9.0-unsupported"
SKIPPED = 77
# What comes with a kernel that DKMS is told of, as Debian's packages do it.
UNSUPPORTED_POSTINST = f"""\
#!/bin/sh
set -e
run-parts --report --exit-on-error --arg={UNSUPPORTED} /etc/kernel/header_postinst.d
"""
UNSUPPORTED_CONTROL = f"""\
Package: linux-headers-{UNSUPPORTED}
Version: 1
Architecture: all
Maintainer: nobody <nobody@example.org>
Description: headers of a kernel that kfreeze does not support
"""
# All mounts and processes are gone when the command is; in a chroot, where / is
# no mount, they cannot be made private.
IN_CHROOT = ("unshare", "--mount", "--propagation", "unchanged", "--pid",
             "--fork", "--kill-child", "sh", "-c", """\
root=$1; shift
mount --make-rprivate / 2>/dev/null || trap 'umount "$root/proc"' EXIT
mount -t proc proc "$root/proc" || exit
DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$root" "$@" """, "sh")

SUITE = Suite(__doc__, timeout=240)


class Debian:
    """A root directory; its first kernel is the one it came with."""

    def __init__(self, work, timeout):
        base = Path(output_of(HERE / "dkms_root.sh"))
        self.root = work / "root"
        self._work = work
        self._name = base.name
        self._timeout = timeout
        output_of("cp", "-a", "--reflink=auto", base, self.root)
        output_of("make", "-C", TOP, "-s", "--no-print-directory",
                  "dkms-install", f"DESTDIR={self.root}")
        output_of("make", "-C", TOP, "-s", "--no-print-directory", "install",
                  f"DESTDIR={work / 'install'}")
        self.first, = self.releases()
        self.version = output_of("sed", "-n", 's/^PACKAGE_VERSION="\\(.*\\)"/\\1/p',
                                 TOP / "dkms.conf")

    def releases(self):
        return [path.name for path in (self.root / "lib/modules").iterdir()]

    @property
    def second(self):
        release, = set(self.releases()) - {self.first, UNSUPPORTED}
        return release

    def run(self, *argv, status=0):
        """Run a command as root in there; return what it printed."""
        result = subprocess.run([*IN_CHROOT, self.root, *argv], text=True,
                                stdin=subprocess.DEVNULL, timeout=600,
                                stdout=subprocess.PIPE, check=False,
                                stderr=subprocess.STDOUT)
        check(result.returncode == status,
              f"{argv}: {result.returncode}: {result.stdout[-2000:]}")
        return result.stdout

    def dkms(self, action, *arguments, status=0):
        return self.run("dkms", action, f"kfreeze/{self.version}", *arguments,
                        status=status)

    def modules(self, release):
        return list((self.root / "lib/modules" / release).glob(MODULE))

    def check_installed(self, *releases):
        """Exactly there, and signed by the machine's own key."""
        lines = self.run("dkms", "status").splitlines()
        check_equal(sorted(line.split(",")[1].strip() for line in lines
                           if line.endswith(": installed")), sorted(releases))
        for release in releases:
            module, = self.modules(release)
            check_equal(output_of("modinfo", "-F", "signer", module), SIGNER)

    def has_holder(self, release):
        """Do freeze_super() and thaw_super() take who froze?"""
        build = self.root / f"usr/src/linux-headers-{release}".replace(
            "-amd64", "-common")
        return any("FREEZE_HOLDER_KERNEL" in path.read_text()
                   for path in (build / "include/linux/fs.h",
                                build / "include/linux/fs/super_types.h")
                   if path.exists())

    @contextmanager
    def boot(self, release, append="", fresh=False):
        kernel = self._work / f"{self._name}-{release}"
        if not kernel.exists():
            kernel.mkdir()
            (kernel / "root").symlink_to(self.root)
            (kernel / "vmlinuz").symlink_to(self.root / f"boot/vmlinuz-{release}")
            (kernel / "release").write_text(release)
        image = self._work / "image"
        if fresh or not image.exists():
            with image.open("wb") as file:
                file.truncate(3 << 30)
            output_of("mke2fs", "-q", "-t", "ext4", "-d", self.root, "-E",
                      "lazy_itable_init=0,nodiscard", image)
        with Guest("dkms", system=System(str(image), kernel, True),
                   install=self._work / "install", append=append,
                   timeout=self._timeout) as guest:
            guest.wait_boot()
            host = Host(guest)
            host.agent.sync(60)
            yield host


def check_failed_units(host, *names):
    lines = host.guest.run("systemctl list-units --failed --plain --no-legend").out
    check_equal([line.split()[0] for line in lines.splitlines()], list(names))


def check_fallback(host, why):
    said = host.guest.run("kfreezectl check", check=False).out
    for words in ("backend: ioctl: the kernel module is not loaded", why):
        check(words in said, said)
    freeze_uses(host, "ioctl")


def freeze_uses(host, backend):
    check_equal(host.freeze(), 1)
    jobs = [host.write("/srv")]
    check(not jobs[0].wait(1), "a write ended")
    check_equal(host.thaw(), 1)
    host.check_ended(jobs)
    check_equal(host.last_cycle()["backend"], backend)


@SUITE.test
def module_is_added_built_and_installed(debian):
    debian.run("dkms", "add", f"/usr/src/kfreeze-{debian.version}")
    debian.dkms("build", "-k", debian.first)
    check_equal(debian.modules(debian.first), [])
    debian.dkms("install", "-k", debian.first)
    debian.check_installed(debian.first)


@SUITE.test
def new_kernel_gets_its_module(debian):
    """By AUTOINSTALL, when its packages are installed."""
    debian.run("sh", "-c", "dpkg --install /newer-kernel/*.deb")
    debian.check_installed(debian.first, debian.second)


@SUITE.test
def unsupported_kernel_is_skipped(debian):
    """Its package is installed none the less, and nothing is built for it."""
    package = debian.root / "headers"
    for name, text, mode in (("control", UNSUPPORTED_CONTROL, 0o644),
                             ("postinst", UNSUPPORTED_POSTINST, 0o755)):
        path = package / "DEBIAN" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
    build = package / "usr/lib/modules" / UNSUPPORTED / "build"
    (build / "include").mkdir(parents=True)
    debian.run("dpkg-deb", "--build", "/headers", "/headers.deb")
    debian.run("dpkg", "--install", "/headers.deb")
    said = debian.dkms("build", "-k", UNSUPPORTED, status=SKIPPED)
    check("should not be built" in said, said)
    debian.check_installed(debian.first, debian.second)


@SUITE.test
def first_kernel_loads_it_at_boot(debian):
    check(not debian.has_holder(debian.first), debian.first)
    with debian.boot(debian.first) as host:
        check_failed_units(host)
        freeze_uses(host, "kmod")
        host.freeze()
        host.guest.run("fsfreeze -u /")
        host.check_lost()


@SUITE.test
def second_kernel_loads_it_at_boot(debian):
    """Its freeze_super() takes other arguments than the first one's: who
    freezes, so that others cannot thaw."""
    check(debian.has_holder(debian.second), debian.second)
    with debian.boot(debian.second) as host:
        check_failed_units(host)
        freeze_uses(host, "kmod")
        host.freeze()
        host.guest.run("fsfreeze -u /", check=False)
        check_equal(host.thaw(), 1)


@SUITE.test
def refused_module_is_done_without(debian):
    """The kernel wants keys it knows; nobody has enrolled the machine's."""
    with debian.boot(debian.second, "module.sig_enforce=1") as host:
        check("Key was rejected" in host.guest.run(
            "modprobe kfreeze 2>&1", check=False).out, "loaded")
        check_failed_units(host, "systemd-modules-load.service")
        check_fallback(host, "the module is built")
        log = host.guest.run("journalctl -u kfreeze-monitor").out
        check("ioctl backend: the kernel module is absent" in log, log)


@SUITE.test
def removed_kernel_and_module_leave_nothing(debian):
    debian.run("dpkg", "--remove", f"linux-headers-{UNSUPPORTED}")
    debian.run("sh", "-c", f"dpkg --purge linux-headers-amd64 linux-image-amd64"
               f" linux-headers-{debian.second} linux-image-{debian.second}")
    debian.check_installed(debian.first)
    debian.dkms("remove", "--all")
    check_equal(debian.modules(debian.first), [])
    check("kfreeze" not in debian.run("dkms", "status"), "still known")


@SUITE.test
def removed_module_is_done_without(debian):
    """What has it loaded at boot is still there."""
    with debian.boot(debian.first, fresh=True) as host:
        check_failed_units(host)
        check_fallback(host, "the module is absent")


def run(options):
    with work_dir() as work:
        yield "", Debian(work, options.timeout), lambda _: None


if __name__ == "__main__":
    sys.exit(SUITE.main(run))
