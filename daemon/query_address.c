// SPDX-License-Identifier: GPL-2.0
/*
 * PCI, CCW and virtio without either. What the members mean for each driver is
 * what hosts know from qemu-ga; they find the disk of their own by it.
 */
#include "query_address.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query_child.h"
#include "query_file.h"

#define UDEV_DATA "/run/udev/data"

/* What a path of sysfs says. */
struct place {
	const struct query_child *child;
	const char *syspath;
	bool has_scsi; /* channel, target and lun are known */
	unsigned int channel, target, lun;
	struct query_address *address;
};

static void find_scsi(struct place *place)
{
	const char *found = strstr(place->syspath, "/target");

	/* "/target2:0:1/2:0:1:5" */
	place->has_scsi = found &&
			  sscanf(found, "/target%*u:%*u:%*u/%*u:%u:%u:%u",
				 &place->channel, &place->target,
				 &place->lun) == 3;
}

/* Counts ports of the controller below ours: "ata3" of ata1, ata2, ata3. */
struct ports {
	const char *prefix;
	unsigned int number, below;
};

static int count_port(struct query_child *child, const char *directory,
		      const char *name, void *data)
{
	struct ports *ports = data;
	size_t len = strlen(ports->prefix);
	char *end;
	unsigned long number;

	(void)child;
	(void)directory;
	if (strncmp(name, ports->prefix, len))
		return 0;
	number = strtoul(name + len, &end, 10);
	ports->below += end > name + len && !*end && number < ports->number;
	return 0;
}

/* Which port of its controller it is on. False: it is on none. */
static bool find_port(struct place *place, unsigned int *port)
{
	const char *found = strstr(place->syspath, "/ata");
	struct ports ports = {.prefix = "ata"};
	char directory[PATH_MAX];

	if (!found) {
		found = strstr(place->syspath, "/host");
		ports.prefix = "host";
	}
	if (!found)
		return false;
	ports.number = atoi(found + 1 + strlen(ports.prefix));
	snprintf(directory, sizeof(directory), "%.*s",
		 (int)(found - place->syspath), place->syspath);
	if (query_file_each((struct query_child *)place->child, directory,
			    count_port, &ports))
		return false;
	*port = ports.below;
	return true;
}

static bool set_ide(struct place *place)
{
	place->address->bus_type = QUERY_BUS_IDE;
	place->address->unit = place->target;
	return place->has_scsi && find_port(place, &place->address->bus);
}

static bool set_sata(struct place *place)
{
	place->address->bus_type = QUERY_BUS_SATA;
	return place->has_scsi && find_port(place, &place->address->unit);
}

static bool set_scsi(struct place *place)
{
	place->address->bus_type = QUERY_BUS_SCSI;
	place->address->unit = place->target;
	return place->has_scsi;
}

static bool set_virtio(struct place *place)
{
	place->address->bus_type = place->has_scsi ? QUERY_BUS_SCSI
						   : QUERY_BUS_VIRTIO;
	if (place->has_scsi)
		place->address->unit = place->lun;
	return true;
}

static bool set_nvme(struct place *place)
{
	place->address->bus_type = QUERY_BUS_NVME;
	return true;
}

static bool set_usb(struct place *place)
{
	place->address->bus_type = QUERY_BUS_USB;
	return true;
}

static const struct {
	const char *name;
	bool (*set)(struct place *place);
} pci_drivers[] = {
	{"virtio-pci", set_virtio}, {"nvme", set_nvme},
	{"ahci", set_sata},	    {"ata_piix", set_ide},
	{"sym53c8xx", set_scsi},    {"xhci_hcd", set_usb},
	{"ehci-pci", set_usb},
};

/* Index into pci_drivers of the device at the first @len bytes, or -1. */
static int find_driver(const struct place *place, size_t len)
{
	char path[PATH_MAX];
	size_t i;

	if (query_file_resolve(place->child, path, "%.*s/driver", (int)len,
			       place->syspath))
		return -1;
	for (i = 0; i < sizeof(pci_drivers) / sizeof(*pci_drivers); i++) {
		if (!strcmp(strrchr(path, '/') + 1, pci_drivers[i].name))
			return i;
	}
	return -1;
}

/* Down from the root, over bridges, to the first device that has disks. */
static bool find_pci(struct place *place)
{
	const char *next = strstr(place->syspath, "/devices/pci");
	struct query_address *address = place->address;
	int domain, bus, slot, function, len = 0, driver;

	if (!next)
		return false;
	next = strchr(next + 1 + strlen("devices/"), '/');
	while (next && sscanf(next, "/%x:%x:%x.%x%n", &domain, &bus, &slot,
			      &function, &len) == 4) {
		next += len;
		driver = find_driver(place, next - place->syspath);
		if (driver < 0)
			continue;
		if (!pci_drivers[driver].set(place)) {
			address->bus_type = QUERY_BUS_UNKNOWN;
			return false;
		}
		address->pci.domain = domain;
		address->pci.bus = bus;
		address->pci.slot = slot;
		address->pci.function = function;
		return true;
	}
	return false;
}

/* Also of mainframes and boards, where devices of virtio are on no PCI. */
static bool find_virtio(struct place *place)
{
	struct query_address *address = place->address;

	if (!strstr(place->syspath, "/virtio") ||
	    !strstr(place->syspath, "/block"))
		return false;
	address->bus_type = place->has_scsi ? QUERY_BUS_SCSI : QUERY_BUS_VIRTIO;
	if (place->has_scsi) {
		address->bus = place->channel;
		address->target = place->target;
		address->unit = place->lun;
	}
	return true;
}

static bool find_ccw(struct place *place)
{
	const char *found = strstr(place->syspath, "/devices/css");
	struct query_address *address = place->address;

	/* "/devices/css0/0.0.0001/0.0.fe00/..." */
	if (!found || sscanf(found, "/devices/css%*x/%x.%x.%x/%*x.%*x.%x/",
			     &address->ccw.cssid, &address->ccw.ssid,
			     &address->ccw.subchno, &address->ccw.devno) != 4)
		return false;
	address->ccw.is_known = 1;
	find_virtio(place);
	return true;
}

bool query_address_device(const struct query_child *child, const char *syspath,
			  char device[QUERY_NAME_MAX])
{
	char node[QUERY_NAME_MAX - sizeof("/dev/")];

	if (!query_file_value(child, "DEVNAME=", node, sizeof(node),
			      "%s/uevent", syspath))
		return false;
	snprintf(device, QUERY_NAME_MAX, "/dev/%s", node);
	return true;
}

/* What udev and the kernel call it. */
static void find_names(const struct place *place)
{
	struct query_address *address = place->address;
	char dev[32];

	query_address_device(place->child, place->syspath, address->dev);
	if (query_file_line(place->child, dev, sizeof(dev), "%s/dev",
			    place->syspath))
		return;
	query_file_value(place->child, "E:ID_SERIAL=", address->serial,
			 sizeof(address->serial), UDEV_DATA "/b%s", dev);
}

bool query_address_find(const struct query_child *child, const char *syspath,
			struct query_address *address)
{
	struct place place = {
		.child = child,
		.syspath = syspath,
		.address = address,
	};
	bool found;

	*address = (struct query_address){
		.pci = {-1, -1, -1, -1},
	};
	find_names(&place);
	find_scsi(&place);
	if (strstr(syspath, "/devices/pci"))
		found = find_pci(&place);
	else if (strstr(syspath, "/devices/css"))
		found = find_ccw(&place);
	else
		found = find_virtio(&place);
	return found || *address->dev || *address->serial;
}

bool query_address_is_virtual(const char *syspath)
{
	return strstr(syspath, "/devices/virtual/block/") != NULL;
}
