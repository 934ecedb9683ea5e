/* SPDX-License-Identifier: GPL-2.0 */
/* Hears of what must end a freeze: the owner's death, suspend, reboot. */
#ifndef KFREEZE_NOTIFIER_H
#define KFREEZE_NOTIFIER_H

int kfreeze_notifier_init(void);
void kfreeze_notifier_exit(void);

#endif
