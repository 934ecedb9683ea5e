/* SPDX-License-Identifier: GPL-2.0 */
/* Processors and blocks of memory, which may be taken offline. */
#ifndef KFREEZE_QGA_UNIT_H
#define KFREEZE_QGA_UNIT_H

struct qga_request;

void qga_get_vcpus(struct qga_request *request);
void qga_set_vcpus(struct qga_request *request);
void qga_get_memory_blocks(struct qga_request *request);
void qga_set_memory_blocks(struct qga_request *request);
void qga_get_memory_block_info(struct qga_request *request);

#endif
