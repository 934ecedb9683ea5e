// SPDX-License-Identifier: GPL-2.0
/*
 * Interfaces by getifaddrs(3), which lists them once as a link and once more
 * for each address; their counters and the routes from /proc/net.
 */
#include "query_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netpacket/packet.h>
#include <stdlib.h>
#include <string.h>

#include "query_child.h"
#include "query_file.h"

/* How many leading bits of a mask are set. */
static uint32_t prefix_of(const struct sockaddr *mask)
{
	const uint8_t *bytes;
	uint32_t bits = 0;
	size_t i, len;

	if (!mask)
		return 0;
	if (mask->sa_family == AF_INET6) {
		bytes = ((const struct sockaddr_in6 *)mask)->sin6_addr.s6_addr;
		len = 16;
	} else {
		bytes = (const uint8_t *)&((const struct sockaddr_in *)mask)->sin_addr;
		len = 4;
	}
	for (i = 0; i < len; i++)
		bits += __builtin_popcount(bytes[i]);
	return bits;
}

static int emit_ip(struct query_child *child, const struct ifaddrs *entry)
{
	struct query_record record = {.kind = QUERY_IP};
	struct query_ip *ip = &record.ip;
	const void *bytes;

	if (!entry->ifa_addr)
		return 0;
	if (entry->ifa_addr->sa_family == AF_INET6) {
		ip->is_ipv6 = 1;
		bytes = &((struct sockaddr_in6 *)entry->ifa_addr)->sin6_addr;
	} else if (entry->ifa_addr->sa_family == AF_INET) {
		bytes = &((struct sockaddr_in *)entry->ifa_addr)->sin_addr;
	} else {
		return 0;
	}
	if (!inet_ntop(entry->ifa_addr->sa_family, bytes, ip->address,
		       sizeof(ip->address)))
		return -errno;
	ip->prefix = prefix_of(entry->ifa_netmask);
	return child->emit(child->data, &record);
}

/* "  eth0: 1 2 3 ...": eight numbers received, then eight sent. */
static bool read_counters(struct query_child *child, const char *name,
			  uint64_t counters[QUERY_NET_COUNTERS])
{
	uint64_t *c = counters;
	char line[512], *colon, *text;
	bool found = false;
	FILE *file;

	file = query_file_open(child, "/proc/net/dev");
	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		text = line + strspn(line, " ");
		colon = strchr(text, ':');
		if (!colon)
			continue;
		*colon = '\0';
		found = !strcmp(text, name) &&
			sscanf(colon + 1,
			       "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64
			       "%*u%*u%*u%*u"
			       "%" SCNu64 "%" SCNu64 "%" SCNu64 "%" SCNu64,
			       c, c + 1, c + 2, c + 3, c + 4, c + 5, c + 6,
			       c + 7) == QUERY_NET_COUNTERS;
	}
	fclose(file);
	return found;
}

/* An alias, "eth0:1", has the address of its interface. */
static void read_mac(const struct ifaddrs *all, const char *name,
		     struct query_interface *interface)
{
	const struct sockaddr_ll *link;
	size_t len = strcspn(name, ":");
	const uint8_t *mac;

	for (; all; all = all->ifa_next) {
		if (!all->ifa_addr || all->ifa_addr->sa_family != AF_PACKET ||
		    strncmp(all->ifa_name, name, len) || all->ifa_name[len])
			continue;
		link = (const struct sockaddr_ll *)all->ifa_addr;
		mac = link->sll_addr;
		snprintf(interface->mac, sizeof(interface->mac),
			 "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
			 mac[2], mac[3], mac[4], mac[5]);
	}
}

static int emit_interface(struct query_child *child, const struct ifaddrs *all,
			  const char *name)
{
	struct query_record record = {.kind = QUERY_INTERFACE};
	struct query_interface *interface = &record.interface;
	const struct ifaddrs *entry;
	int err;

	snprintf(interface->name, sizeof(interface->name), "%s", name);
	read_mac(all, name, interface);
	interface->has_counters = read_counters(child, name, interface->counters);
	err = child->emit(child->data, &record);
	for (entry = all; !err && entry; entry = entry->ifa_next) {
		if (!strcmp(entry->ifa_name, name))
			err = emit_ip(child, entry);
	}
	return err;
}

static bool comes_before(const struct ifaddrs *all, const struct ifaddrs *entry)
{
	for (; all != entry; all = all->ifa_next) {
		if (!strcmp(all->ifa_name, entry->ifa_name))
			return true;
	}
	return false;
}

int query_net_interfaces(struct query_child *child)
{
	struct ifaddrs *all;
	const struct ifaddrs *entry;
	int err = 0;

	if (getifaddrs(&all))
		return query_child_fail(child, -errno, "getifaddrs failed: %s",
					strerror(errno));
	for (entry = all; !err && entry; entry = entry->ifa_next) {
		if (!comes_before(all, entry))
			err = emit_interface(child, all, entry->ifa_name);
	}
	freeifaddrs(all);
	return err;
}

/* As the kernel has it in memory: the first byte is the lowest. */
static void print_ipv4(char out[QUERY_IP_MAX], uint32_t address)
{
	inet_ntop(AF_INET, &address, out, QUERY_IP_MAX);
}

static int emit_ipv4_route(struct query_child *child, const char *line)
{
	struct query_record record = {.kind = QUERY_ROUTE};
	struct query_route *route = &record.route;
	uint32_t destination, gateway, mask;

	if (sscanf(line,
		   "%63s %" SCNx32 " %" SCNx32 " %" SCNx64 " %" SCNd64 " %" SCNd64
		   " %" SCNd64 " %" SCNx32 " %" SCNd64 " %" SCNd64 " %" SCNd64,
		   route->iface, &destination, &gateway, &route->flags,
		   &route->refcnt, &route->use, &route->metric, &mask,
		   &route->mtu, &route->window, &route->irtt) != 11)
		return 0; /* the heading */
	print_ipv4(route->destination, destination);
	print_ipv4(route->gateway, gateway);
	print_ipv4(route->mask, mask);
	return child->emit(child->data, &record);
}

/* 32 digits. False if they are something else. */
static bool print_ipv6(char out[QUERY_IP_MAX], const char *digits)
{
	struct in6_addr address;
	size_t i;

	for (i = 0; i < sizeof(address.s6_addr); i++) {
		if (sscanf(digits + 2 * i, "%2hhx", &address.s6_addr[i]) != 1)
			return false;
	}
	return inet_ntop(AF_INET6, &address, out, QUERY_IP_MAX) != NULL;
}

static int emit_ipv6_route(struct query_child *child, const char *line)
{
	struct query_record record = {.kind = QUERY_ROUTE};
	struct query_route *route = &record.route;
	char destination[33], source[33], gateway[33];
	uint64_t metric, refcnt, use;

	if (sscanf(line,
		   "%32s %" SCNx32 " %32s %" SCNx32 " %32s %" SCNx64 " %" SCNx64
		   " %" SCNx64 " %" SCNx64 " %63s",
		   destination, &route->prefix, source, &route->source_prefix,
		   gateway, &metric, &refcnt, &use, &route->flags,
		   route->iface) != 10 ||
	    !print_ipv6(route->destination, destination) ||
	    !print_ipv6(route->source, source) ||
	    !print_ipv6(route->gateway, gateway))
		return 0;
	route->metric = (int32_t)metric; /* qemu-ga has it as an int */
	route->refcnt = refcnt;
	route->use = use;
	route->is_ipv6 = 1;
	return child->emit(child->data, &record);
}

/* There is no file if the kernel does without that version. */
static int emit_routes(struct query_child *child, const char *path,
		       int (*emit)(struct query_child *child, const char *line))
{
	FILE *file = query_file_open(child, "%s", path);
	char line[512];
	int err = 0;

	if (!file)
		return errno == ENOENT ? 0
				       : query_child_fail(child, -errno,
							  "open(\"%s\"): %s",
							  path, strerror(errno));
	while (!err && fgets(line, sizeof(line), file))
		err = emit(child, line);
	fclose(file);
	return err;
}

int query_net_routes(struct query_child *child)
{
	int err = emit_routes(child, "/proc/net/route", emit_ipv4_route);

	return err ? err
		   : emit_routes(child, "/proc/net/ipv6_route", emit_ipv6_route);
}
