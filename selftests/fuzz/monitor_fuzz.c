// SPDX-License-Identifier: GPL-2.0
/* An agent that lies, and an administrator, to the monitor's own loop; what it
 * works with is fake. */
#include "input.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "cycle.h"
#include "ipc.h"
#include "log.h"
#include "loss.h"
#include "monitor.h"
#include "query_process.h"
#include "report.h"

#define PATIENCE_MS 20000
#define NR_RECORDS 40
#define GREETED 128 /* first byte: less than this */
#define ADMIN 64 /* this bit of it */

/* --- what the monitor works with: everything happens at once or at the thaw --- */

static enum {
	FREEZE_FREEZES,
	FREEZE_FAILS,
	FREEZE_IS_LOST,
	FREEZE_TAKES_LONG,
	NR_SCENARIOS
} scenario; /* set while the monitor is idle */

static const struct cycle_events *cycle_events;
static const struct query_events *query_events;
static enum cycle_phase phase;
static sd_event_source *step;
static bool query_runs;

enum cycle_phase cycle_phase(void)
{
	return phase;
}

static void end_cycle(enum report_verdict verdict, int err)
{
	const struct cycle_result result = {
		.verdict = verdict,
		.err = err,
		.count = 1,
		.text = "text",
	};

	phase = CYCLE_IDLE;
	sd_event_source_set_enabled(step, SD_EVENT_OFF);
	cycle_events->decided(&result);
	cycle_events->over(&result);
}

static int on_step(sd_event_source *source, void *unused)
{
	(void)source;
	(void)unused;
	sd_event_source_set_enabled(step, SD_EVENT_OFF);
	if (scenario == FREEZE_FAILS) {
		end_cycle(REPORT_FAILED, -EIO);
		return 0;
	}
	phase = CYCLE_FROZEN;
	cycle_events->frozen(1);
	if (scenario == FREEZE_IS_LOST) {
		cycle_events->lost("text");
		end_cycle(REPORT_LOST, -ESTALE);
	}
	return 0;
}

int cycle_init(sd_event *event, const struct config *config,
	       const struct cycle_events *events)
{
	int err;

	(void)config;
	cycle_events = events;
	err = sd_event_add_defer(event, &step, on_step, NULL);
	if (err < 0)
		return err;
	return sd_event_source_set_enabled(step, SD_EVENT_OFF);
}

void cycle_configure(void)
{
}

void cycle_update_report(void)
{
}

void cycle_freeze(const struct cycle_request *request)
{
	size_t i;

	if (phase != CYCLE_IDLE)
		abort();
	for (i = 0; i < request->nr_paths; i++) {
		if (strlen(request->paths[i]) >= PATH_MAX)
			abort();
	}
	report_start(1);
	for (i = 0; i < NR_RECORDS; i++)
		report_add_skip();
	phase = CYCLE_FREEZE_HOOKS;
	if (scenario != FREEZE_TAKES_LONG)
		sd_event_source_set_enabled(step, SD_EVENT_ONESHOT);
}

void cycle_thaw(const char *reason)
{
	(void)reason;
	if (phase == CYCLE_FROZEN)
		end_cycle(REPORT_OK, 0);
	else if (phase != CYCLE_IDLE)
		end_cycle(REPORT_ABORTED, -ECANCELED);
}

void cycle_lose(const char *reason)
{
	if (phase == CYCLE_IDLE)
		return;
	cycle_events->lost(reason);
	end_cycle(REPORT_LOST, -ESTALE);
}

void query_process_init(sd_event *event, const struct query_events *events)
{
	(void)event;
	query_events = events;
}

void query_process_start(const struct query *query)
{
	const struct query_record record = {.kind = QUERY_TEXT};

	if (query_runs || phase != CYCLE_IDLE)
		abort();
	query_runs = true;
	query_events->record(&record);
	if (query->topic % 2)
		query_process_stop(0, "");
}

void query_process_resume(void)
{
}

void query_process_stop(int err, const char *text)
{
	if (!query_runs)
		return;
	query_runs = false;
	query_events->over(err, text);
}

static bool loss_is_there;

void loss_init(const char *path)
{
	(void)path;
}

bool loss_is_untold(void)
{
	return loss_is_there;
}

const char *loss_text(void)
{
	return loss_is_there ? "text" : "";
}

void loss_expect(uint32_t timeout_ms)
{
	(void)timeout_ms;
}

void loss_set(uint32_t timeout_ms, const char *reason)
{
	(void)timeout_ms;
	(void)reason;
	loss_is_there = true;
}

void loss_forget(void)
{
	loss_is_there = false;
}

int config_reload(struct config *config)
{
	(void)config;
	return 0;
}

/* --- the agent, the administrator --- */

static int agent_listener, admin_listener;

static void *run(void *unused)
{
	static struct config config = {.timeout_ms = 60000,
				       .lost_ttl_ms = 600000};

	(void)unused;
	monitor_run(&config, agent_listener, -1, admin_listener);
	abort(); /* it serves one agent after the other */
}

/* Of the abstract kind: nothing to clean up. */
static struct sockaddr_un address_of(const char *role)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		 "kfreeze-fuzz-%s-%d", role, getpid());
	return address;
}

static int listen_as(const char *role)
{
	const struct sockaddr_un address = address_of(role);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 1))
		abort();
	return fd;
}

static void start_monitor(void)
{
	pthread_t thread;

	log_init("fuzz", "/dev/null", false);
	agent_listener = listen_as("agent");
	admin_listener = listen_as("admin");
	if (pthread_create(&thread, NULL, run, NULL))
		abort();
}

static int connect_to_monitor(const char *role)
{
	const struct sockaddr_un address = address_of(role);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		abort();
	return fd;
}

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Every reply has to be one that the agent accepts; the end has to come. */
static void read_to_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct ipc_reply reply;
	int err, nr;

	do {
		/* the fuzzer has a timer, and its signal ends a poll() */
		do {
			nr = poll(&p, 1, PATIENCE_MS);
		} while (nr < 0 && errno == EINTR);
		if (nr != 1)
			fail("the monitor does not close");
		err = ipc_receive_reply(fd, &reply);
	} while (!err || err == -EAGAIN);
	if (err != -EPIPE)
		fail(strerror(-err));
}

static void greet(int fd)
{
	const struct ipc_request hello = {
		.type = IPC_HELLO,
		.version = IPC_VERSION,
	};

	if (ipc_send_request(fd, &hello))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	start_monitor();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct fuzz_input input = {bytes, size};
	uint8_t first;
	int fd;

	first = fuzz_byte(&input);
	fd = connect_to_monitor(first & ADMIN ? "admin" : "agent");
	scenario = first % NR_SCENARIOS;
	if (first < GREETED)
		greet(fd);
	while (input.left)
		fuzz_send(&input, fd, sizeof(struct ipc_request));
	shutdown(fd, SHUT_WR);
	read_to_end(fd);
	close(fd);
	return 0;
}
