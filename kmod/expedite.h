/* SPDX-License-Identifier: GPL-2.0 */
/* Expedited RCU grace periods while a set freezes. */
#ifndef KFREEZE_EXPEDITE_H
#define KFREEZE_EXPEDITE_H

struct kfreeze_set;

void kfreeze_set_expedite(struct kfreeze_set *set);
void kfreeze_set_unexpedite(struct kfreeze_set *set);

#endif
