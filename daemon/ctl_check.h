/* SPDX-License-Identifier: GPL-2.0 */
/* What a freeze would do now, and what is in its way. */
#ifndef KFREEZE_CTL_CHECK_H
#define KFREEZE_CTL_CHECK_H

#include "config.h"

/* On standard output. 0, or -EINVAL if there is a problem. */
int ctl_check(const struct config *config);

/* Of this, what the next freeze would take; and if that is @backend. */
int ctl_check_backend(enum config_backend backend);

#endif
