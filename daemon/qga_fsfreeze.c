// SPDX-License-Identifier: GPL-2.0
/*
 * guest-fsfreeze-*: asked of the monitor, answered when the monitor answers.
 * Everything else the host says meanwhile is answered at once.
 */
#include "qga_fsfreeze.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "monitor_client.h"
#include "qga_request.h"
#include "status.h"

static void answer(struct qga_request *request, int err, unsigned int count,
		   const char *text)
{
	if (!err)
		qga_return(request, json_object_new_int64(count));
	else
		qga_fail(request, "%s", *text ? text : strerror(-err));
}

static void frozen(void *data, int err, unsigned int count, const char *text)
{
	if (err)
		status_cycle(err, count, text);
	answer(data, err, count, text);
}

/* The monitor tells of a lost freeze once. If the host that asked is gone the
 * next one has to be told. */
static void thawed(void *data, int err, unsigned int count, const char *text)
{
	struct qga_context *context = data;
	struct qga_request *request = context->thaw;

	context->thaw = NULL;
	if (err || count)
		status_cycle(err, count, text);
	if (err == -ESTALE && qga_request_is_stale(request))
		monitor_remember_loss(context->monitor, text);
	answer(request, err, count, text);
}

/* A lost freeze is "frozen" until the host has heard of the loss: hosts which
 * read "thawed" take the snapshot for good and never call thaw. */
void qga_fsfreeze_status(struct qga_request *request)
{
	enum ipc_state state = monitor_state(request->context->monitor);
	bool frozen = state == IPC_FROZEN || state == IPC_THAWING ||
		      state == IPC_LOST;

	qga_return(request, json_object_new_string(frozen ? "frozen" : "thawed"));
}

/* From here on the log waits; whoever runs the loop lets it go on. */
static void freeze(struct qga_request *request, const char *const *paths,
		   size_t nr_paths)
{
	qga_log(request, "guest-fsfreeze called");
	log_hold();
	monitor_freeze(request->context->monitor, paths, nr_paths, frozen,
		       request);
}

void qga_fsfreeze_freeze(struct qga_request *request)
{
	freeze(request, NULL, 0);
}

void qga_fsfreeze_freeze_list(struct qga_request *request)
{
	struct json_object *list = qga_argument(request, "mountpoints");
	const char **paths;
	size_t i, nr;

	if (!list) {
		freeze(request, NULL, 0);
		return;
	}
	nr = json_object_array_length(list);
	paths = calloc(nr + 1, sizeof(*paths));
	if (!paths) {
		qga_fail(request, "out of memory");
		return;
	}
	for (i = 0; i < nr; i++)
		paths[i] = json_object_get_string(
			json_object_array_get_idx(list, i));
	freeze(request, paths, nr);
	free(paths);
}

/* A host that comes back while the thaw of an earlier one is under way waits
 * for the same answer. */
void qga_fsfreeze_thaw(struct qga_request *request)
{
	struct qga_context *context = request->context;
	struct qga_request *earlier = context->thaw;

	qga_log(request, "guest-fsthaw called");
	if (earlier && !qga_request_is_stale(earlier)) {
		qga_fail(request, "guest-fsfreeze-thaw is under way already");
		return;
	}
	context->thaw = request;
	if (earlier)
		qga_fail(earlier, "its host is gone");
	else
		monitor_thaw(context->monitor, thawed, context);
}
