// SPDX-License-Identifier: GPL-2.0
/* kfreeze: freeze many filesystems as one transaction, and always thaw them. */
#include <linux/init.h>
#include <linux/module.h>

#include "freeze.h"
#include "job.h"
#include "netlink.h"
#include "notifier.h"
#include "param.h"
#include "session.h"
#include "set.h"
#include "version.h"
#include "watchdog.h"

static int __init kfreeze_init(void)
{
	int err;

	err = kfreeze_param_check();
	if (err)
		return err;
	err = kfreeze_set_init();
	if (err)
		return err;
	err = kfreeze_jobs_init();
	if (err)
		goto err_set;
	err = kfreeze_freeze_init();
	if (err)
		goto err_jobs;
	err = kfreeze_watchdog_start();
	if (err)
		goto err_freeze;
	err = kfreeze_session_init(kfreeze_nl_cycle_ops());
	if (err)
		goto err_watchdog;
	err = kfreeze_notifier_init();
	if (err)
		goto err_session;
	err = kfreeze_nl_init();
	if (err)
		goto err_notifier;
	return 0;

err_notifier:
	kfreeze_notifier_exit();
err_session:
	kfreeze_session_exit();
err_watchdog:
	kfreeze_watchdog_stop();
err_freeze:
	kfreeze_freeze_exit();
err_jobs:
	kfreeze_jobs_exit();
err_set:
	kfreeze_set_exit();
	return err;
}

/* Sessions and sets hold the module: here none is left. */
static void __exit kfreeze_exit(void)
{
	kfreeze_nl_exit();
	kfreeze_notifier_exit();
	kfreeze_session_exit();
	kfreeze_watchdog_stop();
	kfreeze_freeze_exit();
	kfreeze_jobs_exit();
	kfreeze_set_exit();
}

module_init(kfreeze_init);
module_exit(kfreeze_exit);

MODULE_DESCRIPTION("Freeze many filesystems as one transaction");
MODULE_AUTHOR("The kfreeze developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(KFREEZE_VERSION);
