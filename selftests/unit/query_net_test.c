// SPDX-License-Identifier: GPL-2.0
/* Routes of made-up files; interfaces of this machine, which has a loopback. */
/* link: query_net query_child query_file query */
#include "query_harness.h"

#include "query_net.h"

TEST(ipv4_routes)
{
	tree_start();
	tree_file("proc/net/route",
		  "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask"
		  "\t\tMTU\tWindow\tIRTT\n"
		  "eth0\t00000000\t0102A8C0\t0003\t1\t2\t100\t00000000\t1400\t5\t6\n"
		  "bond0\t000010AC\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
		  "nonsense\n");
	CHECK_EQ(query_net_routes(&child), 0);
	CHECK_EQ(nr_records, 2);
	CHECK_EQ(records[0].kind, QUERY_ROUTE);
	CHECK_STREQ(records[0].route.iface, "eth0");
	CHECK_STREQ(records[0].route.destination, "0.0.0.0");
	CHECK_STREQ(records[0].route.gateway, "192.168.2.1");
	CHECK_STREQ(records[0].route.mask, "0.0.0.0");
	CHECK_EQ(records[0].route.is_ipv6, 0);
	CHECK_EQ(records[0].route.flags, 3);
	CHECK_EQ(records[0].route.refcnt, 1);
	CHECK_EQ(records[0].route.use, 2);
	CHECK_EQ(records[0].route.metric, 100);
	CHECK_EQ(records[0].route.mtu, 1400);
	CHECK_EQ(records[0].route.window, 5);
	CHECK_EQ(records[0].route.irtt, 6);
	CHECK_STREQ(records[1].route.iface, "bond0");
	CHECK_STREQ(records[1].route.destination, "172.16.0.0");
	CHECK_STREQ(records[1].route.mask, "255.240.0.0");
}

TEST(ipv6_routes)
{
	tree_start();
	tree_file("proc/net/ipv6_route",
		  "fd000000000000000000000000000000 40 "
		  "00000000000000000000000000000000 00 "
		  "fe800000000000000000000000000001 "
		  "00000400 00000001 00000002 00200003 eth0\n"
		  "00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 00 "
		  "00000000000000000000000000000000 "
		  "ffffffff 00000001 00000000 00200200 lo\n");
	CHECK_EQ(query_net_routes(&child), 0);
	CHECK_EQ(nr_records, 2);
	CHECK_EQ(records[0].route.is_ipv6, 1);
	CHECK_STREQ(records[0].route.iface, "eth0");
	CHECK_STREQ(records[0].route.destination, "fd00::");
	CHECK_EQ(records[0].route.prefix, 64);
	CHECK_STREQ(records[0].route.source, "::");
	CHECK_EQ(records[0].route.source_prefix, 0);
	CHECK_STREQ(records[0].route.gateway, "fe80::1");
	CHECK_EQ(records[0].route.metric, 1024);
	CHECK_EQ(records[0].route.refcnt, 1);
	CHECK_EQ(records[0].route.use, 2);
	CHECK_EQ(records[0].route.flags, 0x200003);
	CHECK_EQ(records[1].route.metric, -1);
}

TEST(no_files_no_routes)
{
	tree_start();
	CHECK_EQ(query_net_routes(&child), 0);
	CHECK_EQ(nr_records, 0);
}

TEST(loopback)
{
	size_t i = 0;

	tree_start();
	tree_file("proc/net/dev",
		  "Inter-|   Receive                            |  Transmit\n"
		  " face |bytes    packets errs drop fifo frame compressed "
		  "multicast|bytes packets errs drop fifo colls carrier\n"
		  "   lox: 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9 9\n"
		  "    lo: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n");
	CHECK_EQ(query_net_interfaces(&child), 0);
	while (i < nr_records && (records[i].kind != QUERY_INTERFACE ||
				  strcmp(records[i].interface.name, "lo")))
		i++;
	CHECK(i + 1 < nr_records);
	CHECK_STREQ(records[i].interface.mac, "00:00:00:00:00:00");
	CHECK_EQ(records[i].interface.has_counters, 1);
	CHECK_EQ(records[i].interface.counters[0], 1);
	CHECK_EQ(records[i].interface.counters[3], 4);
	CHECK_EQ(records[i].interface.counters[4], 9);
	CHECK_EQ(records[i].interface.counters[7], 12);
	CHECK_EQ(records[i + 1].kind, QUERY_IP);
	CHECK_STREQ(records[i + 1].ip.address, "127.0.0.1");
	CHECK_EQ(records[i + 1].ip.prefix, 8);
}
