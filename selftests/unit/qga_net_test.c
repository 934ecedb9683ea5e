// SPDX-License-Identifier: GPL-2.0
/* Interfaces and routes as JSON. */
#include "qga_harness.h"

TEST(interfaces_with_their_addresses)
{
	const struct query_record records[] = {
		{.kind = QUERY_INTERFACE,
		 .interface = {.name = "bond0",
			       .mac = "52:54:00:12:34:56",
			       .has_counters = 1,
			       .counters = {1, 2, 3, 4, 5, 6, 7, UINT64_MAX}}},
		{.kind = QUERY_IP, .ip = {.address = "192.168.1.2", .prefix = 24}},
		{.kind = QUERY_IP,
		 .ip = {.address = "fe80::1", .is_ipv6 = 1, .prefix = 64}},
		{.kind = QUERY_INTERFACE, .interface = {.name = "tun0"}},
	};

	check_reply("guest-network-get-interfaces", QUERY_INTERFACES, records, 4,
		    "[{\"name\": \"bond0\", "
		    "\"hardware-address\": \"52:54:00:12:34:56\", "
		    "\"statistics\": {\"rx-bytes\": 1, \"rx-packets\": 2, "
		    "\"rx-errs\": 3, \"rx-dropped\": 4, \"tx-bytes\": 5, "
		    "\"tx-packets\": 6, \"tx-errs\": 7, "
		    "\"tx-dropped\": 18446744073709551615}, "
		    "\"ip-addresses\": [{\"ip-address\": \"192.168.1.2\", "
		    "\"ip-address-type\": \"ipv4\", \"prefix\": 24}, "
		    "{\"ip-address\": \"fe80::1\", "
		    "\"ip-address-type\": \"ipv6\", \"prefix\": 64}]}, "
		    "{\"name\": \"tun0\"}]");
}

TEST(address_without_an_interface_is_dropped)
{
	const struct query_record record = {.kind = QUERY_IP};

	check_reply("guest-network-get-interfaces", QUERY_INTERFACES, &record,
		    1, "[]");
}

TEST(routes_of_both_versions)
{
	const struct query_record records[] = {
		{.kind = QUERY_ROUTE,
		 .route = {.iface = "eth0",
			   .destination = "0.0.0.0",
			   .gateway = "10.0.2.2",
			   .mask = "0.0.0.0",
			   .flags = 3,
			   .metric = 100}},
		{.kind = QUERY_ROUTE,
		 .route = {.is_ipv6 = 1,
			   .iface = "lo",
			   .destination = "::1",
			   .gateway = "::",
			   .source = "::",
			   .prefix = 128,
			   .metric = -1}},
	};

	check_reply("guest-network-get-route", QUERY_ROUTES, records, 2,
		    "[{\"iface\": \"eth0\", \"destination\": \"0.0.0.0\", "
		    "\"metric\": 100, \"flags\": 3, \"refcnt\": 0, \"use\": 0, "
		    "\"gateway\": \"10.0.2.2\", \"mask\": \"0.0.0.0\", "
		    "\"mtu\": 0, \"window\": 0, \"irtt\": 0, \"version\": 4}, "
		    "{\"iface\": \"lo\", \"destination\": \"::1\", "
		    "\"metric\": -1, \"flags\": 0, \"refcnt\": 0, \"use\": 0, "
		    "\"desprefixlen\": \"128\", \"source\": \"::\", "
		    "\"srcprefixlen\": \"0\", \"nexthop\": \"::\", "
		    "\"version\": 6}]");
}
