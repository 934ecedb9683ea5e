/* SPDX-License-Identifier: GPL-2.0 */
/* guest-network-get-interfaces, guest-network-get-route. */
#ifndef KFREEZE_QGA_NET_H
#define KFREEZE_QGA_NET_H

struct qga_request;

void qga_network_get_interfaces(struct qga_request *request);
void qga_network_get_route(struct qga_request *request);

#endif
