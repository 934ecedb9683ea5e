// SPDX-License-Identifier: GPL-2.0
/* Freeze and thaw between a host and a monitor, both played by the test. */
#include "qga_harness.h"

#define EXECUTE(name) "{\"execute\":\"" name "\"}"
#define PING EXECUTE("guest-ping")
#define STATUS EXECUTE("guest-fsfreeze-status")
#define FREEZE EXECUTE("guest-fsfreeze-freeze")
#define THAW EXECUTE("guest-fsfreeze-thaw")
#define REPORT EXECUTE("__org.kfreeze_report")
#define SYNC "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1}}"
#define SYNC_DELIMITED \
	"{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":1}}"
#define FREEZE_LIST(list)                                               \
	"{\"execute\":\"guest-fsfreeze-freeze-list\",\"arguments\":{\"" \
	"mountpoints\":" list "}}"

#define PONG "{\"return\": {}}\n"
#define SYNCED "{\"return\": 1}\n"
#define RETURN(value) "{\"return\": " value "}\n"
#define GENERIC(desc) \
	"{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
#define DISABLED(name)                                            \
	"{\"error\": {\"class\": \"CommandNotFound\", \"desc\": " \
	"\"Command " name " has been disabled: the command is not allowed\"}}\n"
#define LIMITED "fsfreeze is limited up to 60 seconds"

static struct ipc_request freeze_until(enum ipc_state state)
{
	struct ipc_request request;

	harness_start();
	say(FREEZE);
	CHECK_HEARD("");
	request = monitor_receives(IPC_FREEZE);
	CHECK_EQ(request.freeze.listed, 0);
	monitor_turns(IPC_FREEZING);
	if (state == IPC_FREEZING)
		return request;
	monitor_answers(&request, 0, IPC_FROZEN, 3, "");
	CHECK_HEARD(RETURN("3"));
	if (state == IPC_FROZEN)
		return request;
	say(THAW);
	CHECK_HEARD("");
	request = monitor_receives(IPC_THAW);
	monitor_turns(IPC_THAWING);
	return request;
}

TEST(freeze_and_thaw)
{
	struct ipc_request thaw = freeze_until(IPC_THAWING);

	monitor_answers(&thaw, 0, IPC_THAWED, 3, "");
	CHECK_HEARD(RETURN("3"));
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

TEST(everything_else_is_answered_meanwhile)
{
	static const enum ipc_state states[] = {IPC_FREEZING, IPC_FROZEN,
						IPC_THAWING};
	size_t i;

	for (i = 0; i < 3; i++) {
		freeze_until(states[i]);
		say(PING STATUS SYNC);
		CHECK_HEARD(states[i] == IPC_FREEZING
				    ? PONG RETURN("\"thawed\"") SYNCED
				    : PONG RETURN("\"frozen\"") SYNCED);
		say(EXECUTE("guest-info"));
		CHECK(strstr(heard,
			     "{\"enabled\": false, \"name\": \"guest-fsfreeze-freeze\"") !=
		      NULL);
		CHECK(strstr(heard,
			     "{\"enabled\": true, \"name\": \"guest-fsfreeze-thaw\"") !=
		      NULL);
		harness_stop();
	}
}

TEST(other_commands_are_disabled_meanwhile)
{
	static const enum ipc_state states[] = {IPC_FREEZING, IPC_FROZEN,
						IPC_THAWING};
	size_t i;

	for (i = 0; i < 3; i++) {
		freeze_until(states[i]);
		say(FREEZE FREEZE_LIST("[]") REPORT);
		CHECK_HEARD(DISABLED("guest-fsfreeze-freeze")
				    DISABLED("guest-fsfreeze-freeze-list")
					    DISABLED("__org.kfreeze_report"));
		harness_stop();
	}
}

/* Even before the monitor has said that it is freezing. */
TEST(second_freeze_is_refused_at_once)
{
	harness_start();
	say(FREEZE FREEZE);
	CHECK_HEARD(DISABLED("guest-fsfreeze-freeze"));
	monitor_receives(IPC_FREEZE);
	harness_stop();
}

TEST(frozen_list_wins_over_block_list)
{
	static char *blocked[] = {"guest-fsfreeze-thaw", "guest-ping", NULL};

	config.block_rpcs = blocked;
	freeze_until(IPC_FROZEN);
	say(PING THAW);
	CHECK_HEARD(PONG);
	monitor_receives(IPC_THAW);
	harness_stop();
}

TEST(error_carries_the_monitors_text)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING);

	monitor_answers(&freeze, -EIO, IPC_THAWED, 0,
			"/srv/b (/dev/vdc): freeze: Input/output error");
	CHECK_HEARD(GENERIC("/srv/b (/dev/vdc): freeze: Input/output error"));
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

TEST(error_without_text_names_the_errno)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING);

	monitor_answers(&freeze, -EIO, IPC_THAWED, 0, "");
	CHECK_HEARD(GENERIC("Input/output error"));
	harness_stop();
}

TEST(id_comes_back_late)
{
	struct ipc_request freeze;

	harness_start();
	say("{\"execute\":\"guest-fsfreeze-freeze\",\"id\":\"x\"}");
	freeze = monitor_receives(IPC_FREEZE);
	monitor_answers(&freeze, 0, IPC_FROZEN, 1, "");
	CHECK_HEARD("{\"return\": 1, \"id\": \"x\"}\n");
	harness_stop();
}

/* A port tells late that a host went: the next one may have asked already. */
TEST(detached_port_drops_no_reply)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING);

	qga_forget_input(qga);
	monitor_answers(&freeze, 0, IPC_FROZEN, 2, "");
	CHECK_HEARD(RETURN("2"));
	harness_stop();
}

static void freeze_is_dropped_after(const char *bytes, const char *replies)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING);

	if (bytes)
		say(bytes);
	else
		qga_forget_host(qga);
	CHECK_HEARD(replies);
	forget_replies();
	monitor_answers(&freeze, 0, IPC_FROZEN, 2, "");
	CHECK_HEARD("");
	say(STATUS);
	CHECK_HEARD(RETURN("\"frozen\""));
	harness_stop();
}

/* Its asker is gone: the next would take it for the answer to its command. */
TEST(late_reply_is_dropped)
{
	freeze_is_dropped_after(SYNC, SYNCED);
	freeze_is_dropped_after(SYNC_DELIMITED, "\xff" SYNCED);
	freeze_is_dropped_after(
		"\xff", GENERIC("1:36: JSON parse error, stray '\\uFFFD'"));
	freeze_is_dropped_after(NULL, "");
}

TEST(late_reply_survives_ping_status_and_errors)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING);

	say(PING STATUS "}" EXECUTE("guest-nope"));
	forget_replies();
	monitor_answers(&freeze, 0, IPC_FROZEN, 2, "");
	CHECK_HEARD(RETURN("2"));
	harness_stop();
}

TEST(thaw_aborts_a_freeze)
{
	struct ipc_request freeze = freeze_until(IPC_FREEZING), thaw;

	say(THAW);
	CHECK_HEARD("");
	thaw = monitor_receives(IPC_THAW);
	monitor_answers(&freeze, -ECANCELED, IPC_THAWED, 0,
			"freeze was aborted by guest-fsfreeze-thaw");
	CHECK_HEARD(GENERIC("freeze was aborted by guest-fsfreeze-thaw"));
	forget_replies();
	monitor_answers(&thaw, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(RETURN("0"));
	harness_stop();
}

TEST(second_thaw_is_refused_while_the_first_is_under_way)
{
	struct ipc_request thaw = freeze_until(IPC_THAWING);

	say(THAW);
	CHECK_HEARD(GENERIC("guest-fsfreeze-thaw is under way already"));
	forget_replies();
	monitor_answers(&thaw, 0, IPC_THAWED, 3, "");
	CHECK_HEARD(RETURN("3"));
	harness_stop();
}

TEST(host_that_comes_back_waits_for_the_same_thaw)
{
	struct ipc_request thaw = freeze_until(IPC_THAWING);

	say(SYNC "{\"execute\":\"guest-fsfreeze-thaw\",\"id\":2}");
	CHECK_HEARD(SYNCED);
	forget_replies();
	monitor_answers(&thaw, 0, IPC_THAWED, 3, "");
	CHECK_HEARD("{\"return\": 3, \"id\": 2}\n");
	harness_stop();
}

TEST(list_goes_to_the_monitor)
{
	static const char both[] = "/srv/a\0/srv/\xc3\xa9";
	struct ipc_request request;

	harness_start();
	say(FREEZE_LIST("[\"/srv/a\",\"/srv/\\u00e9\"]"));
	request = monitor_receives(IPC_ADD_PATHS);
	CHECK_EQ(request.paths.size, sizeof(both));
	CHECK_EQ(memcmp(request.paths.text, both, sizeof(both)), 0);
	request = monitor_receives(IPC_FREEZE);
	CHECK_EQ(request.freeze.listed, 1);
	CHECK_EQ(request.freeze.nr_paths, 2);
	monitor_answers(&request, 0, IPC_FROZEN, 2, "");
	CHECK_HEARD(RETURN("2"));
	harness_stop();
}

TEST(empty_list_is_not_everything)
{
	struct ipc_request request;

	harness_start();
	say(FREEZE_LIST("[]"));
	request = monitor_receives(IPC_FREEZE);
	CHECK_EQ(request.freeze.listed, 1);
	CHECK_EQ(request.freeze.nr_paths, 0);
	harness_stop();
}

TEST(absent_list_is_everything)
{
	harness_start();
	say(EXECUTE("guest-fsfreeze-freeze-list"));
	CHECK_EQ(monitor_receives(IPC_FREEZE).freeze.listed, 0);
	harness_stop();
}

#define PATH_LEN 1000

static void say_list(size_t nr, size_t path_len)
{
	static char text[(PATH_LEN + 16) * IPC_MAX_PATHS], path[8192];
	size_t i, len;

	memset(path, 'a', path_len);
	path[path_len] = '\0';
	len = sprintf(text, "%s",
		      "{\"execute\":\"guest-fsfreeze-freeze-list\","
		      "\"arguments\":{\"mountpoints\":[");
	for (i = 0; i < nr; i++)
		len += sprintf(text + len, "%s\"%s\"", i ? "," : "", path);
	sprintf(text + len, "]}}");
	say(text);
}

/* More than the socket takes at once: sent as the monitor reads. */
TEST(longest_list)
{
	struct ipc_request request;
	size_t nr = 0, i;

	harness_start();
	say_list(IPC_MAX_PATHS, PATH_LEN);
	while (nr < IPC_MAX_PATHS) {
		request = monitor_receives(IPC_ADD_PATHS);
		CHECK_EQ(request.paths.size % (PATH_LEN + 1), 0);
		for (i = 0; i < request.paths.size; i += PATH_LEN + 1, nr++)
			CHECK_EQ(strlen(request.paths.text + i), PATH_LEN);
		monitor_client_dispatch(client);
	}
	CHECK_EQ(nr, IPC_MAX_PATHS);
	request = monitor_receives(IPC_FREEZE);
	CHECK_EQ(request.freeze.nr_paths, IPC_MAX_PATHS);
	CHECK_HEARD("");
	harness_stop();
}

TEST(list_has_limits)
{
	harness_start();
	say_list(IPC_MAX_PATHS + 1, 1);
	CHECK_HEARD(GENERIC("too many mount points"));
	say_list(1, PATH_MAX);
	CHECK_HEARD(GENERIC("a mount point is too long"));
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

/* Frozen for the host until it has heard; every command works meanwhile. */
TEST(lost_freeze)
{
	struct ipc_request thaw;

	freeze_until(IPC_FROZEN);
	monitor_says(IPC_STATE_CHANGED, 0, 0, IPC_LOST, 0, LIMITED ": deadline");
	say(STATUS PING REPORT);
	CHECK_HEARD(RETURN("\"frozen\"") PONG);
	monitor_receives(IPC_REPORT);
	say(THAW);
	thaw = monitor_receives(IPC_THAW);
	monitor_answers(&thaw, -ESTALE, IPC_THAWED, 0, LIMITED ": deadline");
	CHECK_HEARD(GENERIC(LIMITED ": deadline"));
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

TEST(new_freeze_ends_a_lost_one)
{
	freeze_until(IPC_FROZEN);
	monitor_says(IPC_STATE_CHANGED, 0, 0, IPC_LOST, 0, LIMITED);
	say(FREEZE);
	CHECK_HEARD("");
	monitor_receives(IPC_FREEZE);
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

TEST(restarted_agent_learns_of_a_loss)
{
	harness_start_with(IPC_LOST, LIMITED);
	say(STATUS);
	CHECK_HEARD(RETURN("\"frozen\""));
	harness_stop();
}

/* The host that asked went away: the next one has to be told. */
TEST(loss_that_nobody_heard_is_told_again)
{
	struct ipc_request thaw = freeze_until(IPC_THAWING);

	say(SYNC);
	forget_replies();
	monitor_answers(&thaw, -ESTALE, IPC_THAWED, 0, LIMITED);
	CHECK_HEARD("");
	say(STATUS THAW STATUS);
	CHECK_HEARD(RETURN("\"frozen\"") GENERIC(LIMITED) RETURN("\"thawed\""));
	harness_stop();
}

TEST(monitor_dies_while_frozen)
{
	freeze_until(IPC_FROZEN);
	monitor_dies();
	CHECK(monitor_client_may_be_frozen(client));
	say(STATUS PING);
	CHECK_HEARD(RETURN("\"frozen\"") PONG);
	say(THAW);
	CHECK(strstr(heard, "\"GenericError\"") && strstr(heard, LIMITED) &&
	      strstr(heard, "kfreeze-monitor ended"));
	say(STATUS FREEZE);
	CHECK_HEARD(RETURN("\"thawed\"")
			    GENERIC("kfreeze-monitor is gone: restart kfreezed"));
	harness_stop();
}

TEST(monitor_dies_while_freezing)
{
	freeze_until(IPC_FREEZING);
	monitor_dies();
	CHECK_HEARD(GENERIC(
		"kfreeze-monitor is gone: what was frozen has been thawed"));
	say(STATUS THAW);
	CHECK(strstr(heard, RETURN("\"frozen\"")) == heard);
	CHECK(strstr(heard, LIMITED) != NULL);
	harness_stop();
}

TEST(monitor_dies_while_thawing)
{
	freeze_until(IPC_THAWING);
	monitor_dies();
	CHECK(strstr(heard, LIMITED) != NULL);
	say(STATUS);
	CHECK_HEARD(RETURN("\"thawed\""));
	harness_stop();
}

TEST(monitor_dies_idle)
{
	harness_start();
	monitor_dies();
	CHECK(!monitor_client_may_be_frozen(client));
	say(STATUS PING THAW);
	CHECK_HEARD(RETURN("\"thawed\"") PONG GENERIC(
		"kfreeze-monitor is gone: restart kfreezed"));
	harness_stop();
}

TEST(monitor_that_talks_nonsense_is_left)
{
	freeze_until(IPC_FROZEN);
	CHECK_EQ(send(monitor_fd, "nonsense", 8, 0), 8);
	monitor_client_dispatch(client);
	say(STATUS);
	CHECK_HEARD(RETURN("\"frozen\""));
	CHECK(monitor_client_may_be_frozen(client));
	harness_stop();
}

TEST(answer_to_nothing_is_nonsense)
{
	struct ipc_request nothing = {.id = 77};

	harness_start();
	monitor_answers(&nothing, 0, IPC_FROZEN, 1, "");
	say(FREEZE);
	CHECK_HEARD(GENERIC("kfreeze-monitor is gone: restart kfreezed"));
	harness_stop();
}

static void monitor_records(const struct ipc_request *request,
			    const struct report_record *record)
{
	struct ipc_reply reply = {
		.type = IPC_RECORD,
		.id = request->id,
		.record = *record,
	};

	CHECK_EQ(ipc_send_reply(monitor_fd, &reply), 0);
}

TEST(host_is_told_when_the_agent_stops)
{
	freeze_until(IPC_FREEZING);
	monitor_client_free(client);
	CHECK_HEARD(GENERIC("kfreezed is being stopped"));
	qga_free(qga);
}

TEST(report_is_json)
{
	struct report_record cycle = {
		.kind = REPORT_CYCLE,
		.cycle = {.id = 4,
			  .verdict = REPORT_LOST,
			  .backend = "ioctl",
			  .freeze_realtime_ns = 5,
			  .reason = "deadline"},
	};
	struct report_record target = {
		.kind = REPORT_TARGET,
		.target = {.path = "/srv/a",
			   .source = "/dev/vdb",
			   .fstype = "ext4",
			   .major = 254,
			   .minor = 16,
			   .err = -EIO,
			   .step = "freeze"},
	};
	struct report_record skip = {
		.kind = REPORT_SKIP,
		.skip = {.path = "/mnt", .fstype = "nfs", .reason = "network"},
	};
	struct report_record hook = {
		.kind = REPORT_HOOK,
		.hook = {.path = "/h",
			 .phase = "freeze",
			 .exit_code = -1,
			 .signal = 9,
			 .timed_out = 1,
			 .duration_ns = 7,
			 .last_line = "bye"},
	};
	struct ipc_request request;

	harness_start();
	say(REPORT);
	request = monitor_receives(IPC_REPORT);
	monitor_records(&request, &cycle);
	monitor_records(&request, &target);
	monitor_records(&request, &skip);
	monitor_records(&request, &hook);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(RETURN(
		"{\"cycles\": [{\"id\": 4, \"verdict\": \"lost\", \"reason\": \"deadline\", \"backend\": \"ioctl\", \"freeze-realtime-ns\": 5, "
		"\"targets\": [{\"mountpoint\": \"/srv/a\", \"source\": \"/dev/vdb\", \"type\": \"ext4\", \"device\": \"254:16\", \"level\": 0, \"error\": \"Input/output error\", \"step\": \"freeze\"}], "
		"\"skipped\": [{\"mountpoint\": \"/mnt\", \"type\": \"nfs\", \"reason\": \"network\"}], "
		"\"hooks\": [{\"path\": \"/h\", \"phase\": \"freeze\", \"signal\": 9, \"timed-out\": true, \"duration-ns\": 7, \"last-line\": \"bye\"}]}]}"));
	harness_stop();
}

/* Of a freeze that was none, applications can say nothing. */
TEST(report_has_the_applications_verdict_of_a_freeze_that_held)
{
	struct report_record record = {
		.kind = REPORT_CYCLE,
		.cycle = {.verdict = REPORT_OK,
			  .application = REPORT_APPLICATION_LOST},
	};
	struct ipc_request request;

	harness_start();
	say(REPORT);
	request = monitor_receives(IPC_REPORT);
	monitor_records(&request, &record);
	record.cycle.verdict = REPORT_LOST;
	monitor_records(&request, &record);
	monitor_answers(&request, 0, IPC_THAWED, 0, "");
	CHECK_HEARD(RETURN(
		"{\"cycles\": [{\"id\": 0, \"verdict\": \"ok\", \"application\": \"lost\", "
		"\"targets\": [], \"skipped\": [], \"hooks\": []}, "
		"{\"id\": 0, \"verdict\": \"lost\", "
		"\"targets\": [], \"skipped\": [], \"hooks\": []}]}"));
	harness_stop();
}
