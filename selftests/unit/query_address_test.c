// SPDX-License-Identifier: GPL-2.0
/* Places in sysfs of machines as QEMU and others make them. */
/* link: query_address query_child query_file query */
#include "query_harness.h"

#include "query_address.h"

#define PCI "sys/devices/pci0000:00/"

static void add_driver(const char *device, const char *driver)
{
	char link[PATH_MAX], target[PATH_MAX];

	snprintf(link, sizeof(link), "%s/driver", device);
	snprintf(target, sizeof(target), "sys/bus/pci/drivers/%s", driver);
	tree_directory(target);
	tree_link(link, target);
}

/* Of the disk at @path, which is made. */
static struct query_address find(const char *path)
{
	char syspath[PATH_MAX];
	struct query_address address;

	tree_directory(path);
	snprintf(syspath, sizeof(syspath), "/%s", path);
	CHECK(query_address_find(&child, syspath, &address));
	return address;
}

static void check_pci(const struct query_address *address, int bus, int slot,
		      int function)
{
	CHECK_EQ(address->pci.domain, 0);
	CHECK_EQ(address->pci.bus, bus);
	CHECK_EQ(address->pci.slot, slot);
	CHECK_EQ(address->pci.function, function);
}

static void check_place(const struct query_address *address, unsigned int type,
			unsigned int bus, unsigned int target, unsigned int unit)
{
	CHECK_EQ(address->bus_type, type);
	CHECK_EQ(address->bus, bus);
	CHECK_EQ(address->target, target);
	CHECK_EQ(address->unit, unit);
}

TEST(virtio_blk_behind_a_bridge)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:02.0", "pcieport");
	add_driver(PCI "0000:00:02.0/0000:1a:0b.7", "virtio-pci");
	address = find(PCI "0000:00:02.0/0000:1a:0b.7/virtio3/block/vda/vda1");
	check_pci(&address, 0x1a, 0xb, 7);
	check_place(&address, QUERY_BUS_VIRTIO, 0, 0, 0);
	CHECK_STREQ(address.dev, "");
	CHECK_STREQ(address.serial, "");
}

TEST(virtio_scsi)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:03.0", "virtio-pci");
	address = find(PCI "0000:00:03.0/virtio1/host2/target2:0:5/2:0:5:9"
			   "/block/sda");
	check_pci(&address, 0, 3, 0);
	check_place(&address, QUERY_BUS_SCSI, 0, 0, 9);
}

TEST(lsi_scsi)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:04.0", "sym53c8xx");
	address = find(PCI "0000:00:04.0/host2/target2:0:5/2:0:5:0/block/sda");
	check_place(&address, QUERY_BUS_SCSI, 0, 0, 5);
}

TEST(sata_is_counted_by_port)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:1f.2", "ahci");
	tree_directory(PCI "0000:00:1f.2/ata3");
	tree_directory(PCI "0000:00:1f.2/ata10");
	tree_directory(PCI "0000:00:1f.2/ataraid");
	address = find(PCI
		       "0000:00:1f.2/ata4/host3/target3:0:0/3:0:0:0/block/sda");
	check_pci(&address, 0, 0x1f, 2);
	check_place(&address, QUERY_BUS_SATA, 0, 0, 1);
}

TEST(ide_has_a_bus_and_a_unit)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:01.1", "ata_piix");
	tree_directory(PCI "0000:00:01.1/ata1");
	address = find(PCI
		       "0000:00:01.1/ata2/host1/target1:0:1/1:0:1:0/block/sdb");
	check_place(&address, QUERY_BUS_IDE, 1, 0, 1);
}

TEST(nvme_and_usb)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:05.0", "nvme");
	address = find(PCI "0000:00:05.0/nvme/nvme0/nvme0n1/nvme0n1p2");
	check_place(&address, QUERY_BUS_NVME, 0, 0, 0);
	add_driver(PCI "0000:00:06.0", "xhci_hcd");
	address = find(PCI "0000:00:06.0/usb1/1-1/1-1:1.0/host4/target4:0:0"
			   "/4:0:0:0/block/sdc");
	check_place(&address, QUERY_BUS_USB, 0, 0, 0);
	check_pci(&address, 0, 6, 0);
}

TEST(names_are_the_kernels_and_udevs)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:02.0", "virtio-pci");
	tree_file(PCI "0000:00:02.0/virtio0/block/vda/uevent",
		  "MAJOR=254\nMINOR=0\nDEVNAME=vda\nDEVTYPE=disk\n");
	tree_file(PCI "0000:00:02.0/virtio0/block/vda/dev", "254:0\n");
	tree_file("run/udev/data/b254:0", "S:disk/by-id/x\nE:ID_SERIAL=root a\n");
	address = find(PCI "0000:00:02.0/virtio0/block/vda");
	CHECK_STREQ(address.dev, "/dev/vda");
	CHECK_STREQ(address.serial, "root a");
}

TEST(virtio_without_pci)
{
	struct query_address address;

	tree_start();
	address = find(
		"sys/devices/platform/a003e00.virtio_mmio/virtio0/block/vda");
	check_place(&address, QUERY_BUS_VIRTIO, 0, 0, 0);
	CHECK_EQ(address.pci.domain, -1);
	address = find("sys/devices/platform/a003e00.virtio_mmio/virtio1/host0"
		       "/target0:1:2/0:1:2:3/block/sda");
	check_place(&address, QUERY_BUS_SCSI, 1, 2, 3);
}

TEST(mainframe)
{
	struct query_address address;

	tree_start();
	address = find("sys/devices/css0/0.1.0002/0.1.fe03/virtio0/block/vda");
	check_place(&address, QUERY_BUS_VIRTIO, 0, 0, 0);
	CHECK_EQ(address.ccw.is_known, 1);
	CHECK_EQ(address.ccw.cssid, 0);
	CHECK_EQ(address.ccw.ssid, 1);
	CHECK_EQ(address.ccw.subchno, 2);
	CHECK_EQ(address.ccw.devno, 0xfe03);
}

TEST(unknown_driver_is_an_unknown_bus)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:07.0", "mpt3sas");
	tree_directory(PCI "0000:00:07.0/host0/target0:0:0/0:0:0:0/block/sda");
	CHECK(!query_address_find(&child,
				  "/" PCI "0000:00:07.0/host0/target0:0:0"
				  "/0:0:0:0/block/sda",
				  &address));
	tree_file(PCI "0000:00:07.0/host0/target0:0:0/0:0:0:0/block/sda/uevent",
		  "DEVNAME=sda\n");
	address = find(PCI "0000:00:07.0/host0/target0:0:0/0:0:0:0/block/sda");
	check_place(&address, QUERY_BUS_UNKNOWN, 0, 0, 0);
	CHECK_EQ(address.pci.slot, -1);
	CHECK_STREQ(address.dev, "/dev/sda");
}

/* A controller of ATA without a target below it. */
TEST(half_a_path_is_an_unknown_bus)
{
	struct query_address address;

	tree_start();
	add_driver(PCI "0000:00:1f.2", "ahci");
	tree_directory(PCI "0000:00:1f.2/sda");
	CHECK(!query_address_find(&child, "/" PCI "0000:00:1f.2/sda", &address));
	CHECK_EQ(address.bus_type, QUERY_BUS_UNKNOWN);
}
