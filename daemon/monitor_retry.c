// SPDX-License-Identifier: GPL-2.0
/* A monitor that takes connections and ends them must not keep us busy. */
#include "monitor_retry.h"

#include <stdio.h>
#include <string.h>

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000

void monitor_retry_reset(struct monitor_retry *retry)
{
	*retry = (struct monitor_retry){0};
}

unsigned int monitor_retry_delay_ms(struct monitor_retry *retry)
{
	retry->delay_ms = retry->delay_ms ? retry->delay_ms * 2 : RETRY_MIN_MS;
	if (retry->delay_ms > RETRY_MAX_MS)
		retry->delay_ms = RETRY_MAX_MS;
	return retry->delay_ms;
}

bool monitor_retry_is_news(struct monitor_retry *retry, const char *failure)
{
	char text[IPC_TEXT_MAX];

	snprintf(text, sizeof(text), "%s", failure);
	if (!strcmp(text, retry->failure))
		return false;
	strcpy(retry->failure, text);
	return true;
}
