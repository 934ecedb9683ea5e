// SPDX-License-Identifier: GPL-2.0
/* Hears of what must end a freeze: the owner's death, suspend, reboot. */
#include "notifier.h"

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include <net/net_namespace.h>

#include "session.h"

static int kfreeze_notifier_netlink(struct notifier_block *block,
				    unsigned long event, void *data)
{
	const struct netlink_notify *notify = data;

	if (event == NETLINK_URELEASE && notify->protocol == NETLINK_GENERIC &&
	    notify->net == &init_net && notify->portid)
		kfreeze_session_socket_died(notify->portid);
	return NOTIFY_DONE;
}

/* Blocked writers would stop a suspend, and a suspend our deadlines. */
static int kfreeze_notifier_pm(struct notifier_block *block,
			       unsigned long event, void *data)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		kfreeze_session_bar(KFREEZE_CAUSE_SUSPEND);
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		kfreeze_session_unbar(KFREEZE_CAUSE_SUSPEND);
		break;
	}
	return NOTIFY_DONE;
}

static int kfreeze_notifier_reboot(struct notifier_block *block,
				   unsigned long event, void *data)
{
	kfreeze_session_bar(KFREEZE_CAUSE_REBOOT);
	return NOTIFY_DONE;
}

static struct notifier_block kfreeze_notifier_netlink_block = {
	.notifier_call = kfreeze_notifier_netlink,
};

static struct notifier_block kfreeze_notifier_pm_block = {
	.notifier_call = kfreeze_notifier_pm,
};

static struct notifier_block kfreeze_notifier_reboot_block = {
	.notifier_call = kfreeze_notifier_reboot,
};

/**
 * kfreeze_notifier_init - listen
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int kfreeze_notifier_init(void)
{
	int err;

	err = netlink_register_notifier(&kfreeze_notifier_netlink_block);
	if (err)
		return err;
	err = register_pm_notifier(&kfreeze_notifier_pm_block);
	if (err)
		goto err_netlink;
	err = register_reboot_notifier(&kfreeze_notifier_reboot_block);
	if (err)
		goto err_pm;
	return 0;

err_pm:
	unregister_pm_notifier(&kfreeze_notifier_pm_block);
err_netlink:
	netlink_unregister_notifier(&kfreeze_notifier_netlink_block);
	return err;
}

/**
 * kfreeze_notifier_exit - listen no more
 *
 * Context: may sleep.
 */
void kfreeze_notifier_exit(void)
{
	unregister_reboot_notifier(&kfreeze_notifier_reboot_block);
	unregister_pm_notifier(&kfreeze_notifier_pm_block);
	netlink_unregister_notifier(&kfreeze_notifier_netlink_block);
}
