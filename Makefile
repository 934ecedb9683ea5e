# SPDX-License-Identifier: GPL-2.0
# The user's entry: each target is one recipe. See README.md.
KDIR ?= /lib/modules/$(shell uname -r)/build
DESTDIR ?=
KERNEL ?=
FUZZ_SECONDS ?= 60
export DESTDIR KERNEL FUZZ_SECONDS

all: module daemon

# The module, for the kernel whose headers are in KDIR.
module:
	@test -e $(KDIR)/Makefile || { echo "make module: no kernel headers in $(KDIR): \
	apt-get install linux-headers-$$(uname -r), or give KDIR=" >&2; exit 1; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# kfreezed and kfreeze-monitor.
daemon:
	$(MAKE) -C daemon

# The main job, in a VM: freeze, copy, thaw, verify; then what can go wrong.
demo:
	selftests/vm/deps.sh
	selftests/demo/demo.py

# All tests; KERNEL=7.3: those that need a kernel on that one only.
check:

# The module's tests on kernels that look for bugs, built first: two hours.
check-debug:

# Beside stock qemu-ga, in a VM: ten minutes; BENCH_ROUNDS=5: more of them.
bench:
	selftests/vm/deps.sh
	selftests/bench/bench.py

# What others send to the daemon, FUZZ_SECONDS= each, and to the module: an hour.
fuzz:

# Database servers under load, frozen and copied ROUNDS times: 20 take an hour.
check-databases:

# Every process of a freeze killed at every step of it, in a VM: ten minutes.
check-kill:

# What clients send, to Debian unstable's qemu-ga and to kfreezed.
check-stock:

# The unit tests under valgrind, beside the sanitizers that check uses.
valgrind:

check check-debug fuzz check-databases check-kill check-stock valgrind:
	selftests/vm/deps.sh
	$(MAKE) -C selftests $@

# Style and static analysis.
lint:
	selftests/vm/deps.sh
	selftests/lint.sh

install:
	$(MAKE) -C daemon install

# The module's source for DKMS, and its loading at boot; then:
# dkms install kfreeze/VERSION
dkms-install:
	install -d $(DESTDIR)/usr/src/kfreeze-$(VERSION)
	cp -r Kbuild Makefile dkms.conf kmod include $(DESTDIR)/usr/src/kfreeze-$(VERSION)
	install -D -m 644 kmod/modules-load.conf $(DESTDIR)/usr/lib/modules-load.d/kfreeze.conf

clean:
	rm -rf build
	find kmod -name '*.o' -o -name '.*.cmd' | xargs -r rm -f
	rm -f kfreeze.ko kfreeze.o kfreeze.mod* .kfreeze* .module* modules.order Module.symvers

VERSION = $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)

.PHONY: all module daemon demo check check-debug bench fuzz check-databases check-kill check-stock valgrind lint install dkms-install clean
