// SPDX-License-Identifier: GPL-2.0
/* Framing, parsing and the envelope of commands: what qemu-ga 11.1.3 answers. */
#include "qga_harness.h"

#include <sys/stat.h>
#include <sys/uio.h>

#include "qga_command.h"

#include <malloc.h>

/* of the sanitizer the unit tests are built with; gcc has no header for it */
size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

#define PING "{\"execute\":\"guest-ping\"}"
#define PONG "{\"return\": {}}\n"
#define GENERIC(desc) \
	"{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
#define NOT_FOUND(desc) \
	"{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"" desc "\"}}\n"
#define PARSE(at, desc) GENERIC(at ": JSON parse error, " desc)
#define PING_ID(id) "{\"execute\":\"guest-ping\",\"id\":" id "}"
#define PONG_ID(id) "{\"return\": {}, \"id\": " id "}\n"
#define SYNC(id) "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":" id "}}"

struct row {
	const char *input, *replies;
};

/* Each row to an agent of its own: lines are counted from its start. */
static void check_row(const struct row *row)
{
	harness_start();
	say(row->input);
	if (strcmp(heard, row->replies)) {
		KTAP_SAY("after %s\n#   expected %s\n#   not %s", row->input,
			 row->replies, heard);
		exit(EXIT_FAILURE);
	}
	harness_stop();
}

#define CHECK_ROWS(rows)                                                    \
	do {                                                                \
		size_t ktap_i;                                              \
		for (ktap_i = 0; ktap_i < sizeof(rows) / sizeof((rows)[0]); \
		     ktap_i++)                                              \
			check_row(&(rows)[ktap_i]);                         \
	} while (0)

TEST(envelope)
{
	static const struct row rows[] = {
		{PING, PONG},
		{"[1,2]", GENERIC("QMP input must be a JSON object")},
		{"42\n", GENERIC("QMP input must be a JSON object")},
		{"42", ""},
		{"\"x\"", GENERIC("QMP input must be a JSON object")},
		{"null\n", GENERIC("QMP input must be a JSON object")},
		{"[{\"id\":7}]", GENERIC("QMP input must be a JSON object")},
		{"{}", GENERIC("QMP input lacks member 'execute'")},
		{"{\"execute\":5}",
		 GENERIC("QMP input member 'execute' must be a string")},
		{"{\"execute\":null}",
		 GENERIC("QMP input member 'execute' must be a string")},
		{"{\"execute\":\"guest-ping\",\"arguments\":[]}",
		 GENERIC("QMP input member 'arguments' must be an object")},
		{"{\"execute\":\"guest-ping\",\"arguments\":null}",
		 GENERIC("QMP input member 'arguments' must be an object")},
		{"{\"execute\":\"guest-nope\",\"arguments\":[]}",
		 GENERIC("QMP input member 'arguments' must be an object")},
		{"{\"execute\":\"guest-ping\",\"foo\":1}",
		 GENERIC("QMP input member 'foo' is unexpected")},
		{"{\"exec-oob\":\"guest-ping\"}",
		 GENERIC("QMP input member 'exec-oob' is unexpected")},
		{"{\"foo\":1}", GENERIC("QMP input member 'foo' is unexpected")},
		{"{\"execute\":\"guest-nope\"}",
		 NOT_FOUND("The command guest-nope has not been found")},
		{"{\"execute\":\"guest-exec\"}",
		 NOT_FOUND("The command guest-exec has not been found")},
		{"{\"execute\":\"\"}",
		 NOT_FOUND("The command  has not been found")},
		{"{\"execute\":\"guest-ping\\u0000\"}",
		 NOT_FOUND("The command guest-ping\\u0000 has not been found")},
	};

	CHECK_ROWS(rows);
}

TEST(arguments)
{
	static const struct row rows[] = {
		{SYNC("7"), "{\"return\": 7}\n"},
		{SYNC("-9223372036854775808"),
		 "{\"return\": -9223372036854775808}\n"},
		{SYNC("9223372036854775807"),
		 "{\"return\": 9223372036854775807}\n"},
		{SYNC("9223372036854775808"),
		 GENERIC("Invalid parameter type for 'id', expected: integer")},
		{SYNC("1.0"),
		 GENERIC("Invalid parameter type for 'id', expected: integer")},
		{SYNC("\"7\""),
		 GENERIC("Invalid parameter type for 'id', expected: integer")},
		{SYNC("true"),
		 GENERIC("Invalid parameter type for 'id', expected: integer")},
		{SYNC("null"),
		 GENERIC("Invalid parameter type for 'id', expected: integer")},
		{"{\"execute\":\"guest-sync\"}",
		 GENERIC("Parameter 'id' is missing")},
		{"{\"execute\":\"guest-sync\",\"arguments\":{\"foo\":1}}",
		 GENERIC("Parameter 'id' is missing")},
		{"{\"execute\":\"guest-sync\",\"arguments\":{\"id\":1,\"foo\":2}}",
		 GENERIC("Parameter 'foo' is unexpected")},
		{"{\"execute\":\"guest-ping\",\"arguments\":{\"foo\":1}}",
		 GENERIC("Parameter 'foo' is unexpected")},
		{"{\"execute\":\"guest-ping\",\"arguments\":{}}", PONG},
		{"{\"execute\":\"guest-fsfreeze-freeze-list\",\"arguments\":{\"mountpoints\":5}}",
		 GENERIC("Invalid parameter type for 'mountpoints', expected: array")},
		{"{\"execute\":\"guest-fsfreeze-freeze-list\",\"arguments\":{\"mountpoints\":[\"/\",5]}}",
		 GENERIC("Invalid parameter type for 'mountpoints[1]', expected: string")},
	};

	CHECK_ROWS(rows);
}

TEST(id_comes_back)
{
	static const struct row rows[] = {
		{PING_ID("7"), PONG_ID("7")},
		{PING_ID("null"), PONG_ID("null")},
		{PING_ID("1.0"), PONG_ID("1")},
		{PING_ID("0.1"), PONG_ID("0.10000000000000001")},
		{PING_ID("-0"), PONG_ID("0")},
		{PING_ID("1e100"), PONG_ID("1e+100")},
		{PING_ID("18446744073709551615"), PONG_ID("18446744073709551615")},
		{PING_ID("18446744073709551616"),
		 PONG_ID("1.8446744073709552e+19")},
		{PING_ID("[1,{\"a\":[true,false,null]},[]]"),
		 PONG_ID("[1, {\"a\": [true, false, null]}, []]")},
		{PING_ID("{}"), PONG_ID("{}")},
		{PING_ID("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\x7f\xc3\xa9'\""),
		 PONG_ID("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u007F\\u00E9'\"")},
		{PING_ID("\"\\ud83d\\ude00\""), PONG_ID("\"\\uD83D\\uDE00\"")},
		{PING_ID("\"\xf0\x9f\x98\x80\""), PONG_ID("\"\\uD83D\\uDE00\"")},
		{"{\"id\":7}",
		 "{\"id\": 7, \"error\": {\"class\": \"GenericError\", \"desc\": \"QMP input lacks member 'execute'\"}}\n"},
		{"{\"execute\":\"guest-nope\",\"id\":\"x\"}",
		 "{\"id\": \"x\", \"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command guest-nope has not been found\"}}\n"},
	};

	CHECK_ROWS(rows);
}

TEST(what_is_not_json)
{
	static const struct row rows[] = {
		{"hello\n", PARSE("1:1", "invalid keyword 'hello'")},
		{"\n\n  nullx\n", PARSE("3:3", "invalid keyword 'nullx'")},
		{"HELLO\n", PARSE("1:1", "stray 'H'")},
		{"%\n", PARSE("1:1", "stray '%'")},
		{"// comment\n", PARSE("1:1", "stray '/'")},
		{"}", PARSE("1:1", "expecting value")},
		{":", PARSE("1:1", "expecting value")},
		{"[1,]", PARSE("1:4", "expecting value")},
		{"[,]", PARSE("1:2", "expecting value")},
		{"[1 2]", PARSE("1:4", "expected ',' or ']'")},
		{"[1}", PARSE("1:3", "expected ',' or ']'")},
		{"{\"a\":1]", PARSE("1:7", "expected ',' or '}'")},
		{"{1:2}", PARSE("1:2", "expecting key")},
		{"{,}", PARSE("1:2", "expecting key")},
		{"{\"a\":1,}", PARSE("1:8", "expecting key")},
		{"{\"a\" 1}", PARSE("1:6", "expecting ':'")},
		{"{\"a\":}", PARSE("1:6", "expecting value")},
		{"{\"a\":1 \"b\":2}", PARSE("1:8", "expected ',' or '}'")},
		{"{\"a\":1,\"a\":2}", PARSE("1:12", "duplicate key")},
		{PING_ID("01 "),
		 PARSE("1:30", "stray '01'") PARSE("1:33", "expecting value")},
		{PING_ID("- "),
		 PARSE("1:30", "stray '- '") PARSE("1:32", "expecting value")},
		{PING_ID("1. "),
		 PARSE("1:30", "stray '1. '") PARSE("1:33", "expecting value")},
		{PING_ID("1e "),
		 PARSE("1:30", "stray '1e '") PARSE("1:33", "expecting value")},
		{PING_ID("1e999"), PARSE("1:30", "number is out of range")},
		{PING_ID("\"\\x\""),
		 PARSE("1:30", "invalid escape sequence in string")},
		{PING_ID("\"\\u12g4\""),
		 PARSE("1:30", "\\\\u12g4 is not a valid Unicode character")},
		{PING_ID("\"\\ud83d\""),
		 PARSE("1:30", "\\\\ud83d is not a valid Unicode character")},
		{PING_ID("\"\xc3\""),
		 PARSE("1:30", "invalid UTF-8 sequence in string")},
		{PING_ID("\"\xed\xa0\x80\""),
		 PARSE("1:30", "invalid UTF-8 sequence in string")},
		{PING_ID("\"\xc1\x81\""),
		 PARSE("1:30", "invalid UTF-8 sequence in string")},
		{PING_ID("\"\xef\xbf\xbf\""),
		 PARSE("1:30", "invalid UTF-8 sequence in string")},
		{"\"a\tb\n", PARSE("1:1", "stray '\\\"a\\t'")},
		{"\"a\nb\n", PARSE("1:1", "stray '\\\"a\\n'")},
	};

	CHECK_ROWS(rows);
}

TEST(nul_is_no_end)
{
	harness_start();
	say_bytes("\0\n" PING, 2 + strlen(PING));
	CHECK_HEARD(PARSE("1:1", "stray ''") PONG);
	say_bytes("\"a\0b\n" PING, 5 + strlen(PING));
	CHECK_HEARD(PARSE("2:25", "stray '\\\"a'") PONG);
	harness_stop();
}

/* One error per mistake; then on with what can be told to be a new value. */
TEST(recovery)
{
	static const struct row rows[] = {
		{"{\"a\" 1} " PING, PARSE("1:6", "expecting ':'") PONG},
		{"{\"a\" {\"b\":1}} " PING, PARSE("1:6", "expecting ':'") PONG},
		{"{\"a\" 1 \n" PING "\n", PARSE("1:6", "expecting ':'")},
		{"{\"a\" 1 @" PING, PARSE("1:6", "expecting ':'") PONG},
		{"{\"a\" 1 \xff" PING, PARSE("1:6", "expecting ':'") PONG},
		{"[[[1 2]]" PING "]" PING_ID("2"),
		 PARSE("1:6", "expected ',' or ']'") PONG_ID("2")},
		{"[[[1 2}}" PING, PARSE("1:6", "expected ',' or ']'")
					  PARSE("1:8", "expecting value") PONG},
		{"}" PING, PARSE("1:1", "expecting value") PONG},
		{"hello" PING, PARSE("1:1", "invalid keyword 'hello'") PONG},
		{"@@ @" PING, PARSE("1:1", "stray '@'") PONG},
		{"@ x \n" PING, PARSE("1:1", "stray '@'") PONG},
		{"[\"\\ud83d\"] " PING,
		 PARSE("1:2", "\\\\ud83d is not a valid Unicode character") PONG},
	};

	CHECK_ROWS(rows);
}

TEST(several_values_in_one_write)
{
	static const struct row rows[] = {
		{PING PING_ID("2") "\r\n\t " PING_ID("3"),
		 PONG PONG_ID("2") PONG_ID("3")},
		{"{ 'execute' : 'guest-ping' , 'id' : 'it\\'s \"q\"' }",
		 PONG_ID("\"it's \\\"q\\\"\"")},
		{"1 2" PING, GENERIC("QMP input must be a JSON object") GENERIC(
				     "QMP input must be a JSON object") PONG},
	};

	CHECK_ROWS(rows);
}

TEST(split_anywhere)
{
	static const char stream[] = PING "\n" SYNC("-12") PING_ID(
		"\"\\u00e9\xc3\xa9\\\"\"") "{\"execute\":\"gu\xff"
					   "{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":1}}\n"
					   "[1.5e-3,true}\n\xff" PING_ID(
						   "{\"a\":[null,0]}");
	char whole[4096];
	size_t cut;

	harness_start();
	say_bytes(stream, sizeof(stream) - 1);
	CHECK(heard_len < sizeof(whole));
	strcpy(whole, heard);
	CHECK(strstr(whole, "\xff{\"return\": 1}\n") != NULL);
	harness_stop();
	for (cut = 0; cut < sizeof(stream); cut++) {
		harness_start();
		qga_receive(qga, stream, cut);
		qga_receive(qga, stream + cut, sizeof(stream) - 1 - cut);
		CHECK_HEARD(whole);
		harness_stop();
	}
}

TEST(byte_by_byte)
{
	static const char stream[] = SYNC("5") PING "[}" PING;
	size_t i;

	harness_start();
	for (i = 0; i < sizeof(stream) - 1; i++)
		qga_receive(qga, stream + i, 1);
	CHECK_HEARD("{\"return\": 5}\n" PONG PARSE("1:71", "expecting value")
			    PONG);
	harness_stop();
}

TEST(reset_byte_drops_what_is_pending)
{
	static const struct row rows[] = {
		{"\xff", PARSE("1:1", "stray '\\uFFFD'")},
		{"\xfe" PING, PARSE("1:1", "stray '\\uFFFD'") PONG},
		{"{\"execute\":\"guest-ping\",\xff" PING,
		 PARSE("1:25", "stray '\\uFFFD'") PONG},
		{"{\"execute\":\"gu\xff" PING,
		 PARSE("1:12", "stray '\\\"gu\\uFFFD'") PONG},
	};

	CHECK_ROWS(rows);
}

TEST(host_that_syncs_is_greeted)
{
	harness_start();
	say("{\"execute\":\"guest-ping\"}");
	say("\377{\"execute\":\"guest-sync\"}");
	CHECK_EQ(nr_greeted, 0);
	say(SYNC("1"));
	CHECK_EQ(nr_greeted, 1);
	CHECK_EQ(heard_before, 0);
	harness_stop();
}

TEST(sync_delimited_marks_success_only)
{
	static const struct row rows[] = {
		{"{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":5}}" PING,
		 "\xff{\"return\": 5}\n" PONG},
		{"{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":\"5\"}}" PING,
		 GENERIC("Invalid parameter type for 'id', expected: integer")
			 PONG},
	};

	CHECK_ROWS(rows);
}

TEST(half_a_value_goes_with_its_host)
{
	harness_start();
	say("{\"execute\":\"guest-");
	qga_forget_host(qga);
	say("ping\"}\n" PING);
	CHECK(strstr(heard, "parse error") != NULL);
	say(PING);
	CHECK_HEARD(PONG);
	harness_stop();
}

static void say_nested(unsigned int depth)
{
	char text[2 * 1100 + 1];

	memset(text, '[', depth);
	memset(text + depth, ']', depth);
	say_bytes(text, 2 * depth);
}

TEST(nesting_is_limited)
{
	harness_start();
	say_nested(1024);
	CHECK_HEARD(GENERIC("QMP input must be a JSON object"));
	say_nested(1025);
	CHECK_HEARD(GENERIC("JSON nesting depth limit exceeded"));
	say(PING);
	CHECK_HEARD(PONG);
	harness_stop();
}

/* Of the heap; without the sanitizer the test is run for other reasons. */
static size_t live_bytes(void)
{
	if (__sanitizer_get_current_allocated_bytes)
		return __sanitizer_get_current_allocated_bytes();
	return mallinfo2().uordblks;
}

/* Live bytes of the heap while @pattern is sent over and over. */
static size_t peak_while_sending(const char *pattern, size_t total)
{
	size_t before = live_bytes();
	size_t peak = before, now, sent = 0, len = strlen(pattern);
	char chunk[4096];
	size_t fill;

	while (sent < total) {
		for (fill = 0; fill + len <= sizeof(chunk); fill += len)
			memcpy(chunk + fill, pattern, len);
		say_bytes(chunk, fill);
		sent += fill;
		now = live_bytes();
		if (now > peak)
			peak = now;
	}
	return peak - before;
}

#define MIB (1UL << 20)

static void check_survives(const char *start, const char *pattern, size_t total,
			   size_t limit)
{
	harness_start();
	say(start);
	CHECK(peak_while_sending(pattern, total) < limit);
	say("\xff" PING);
	CHECK(strstr(heard, PONG) != NULL);
	harness_stop();
}

TEST(memory_is_bounded)
{
	check_survives("", "[", MIB, 2 * MIB);
	check_survives("{", "\"a\":{", MIB, 2 * MIB);
	check_survives("[", "1,", 4 * MIB, 3 * MIB);
	check_survives("[", "{},", 4 * MIB, 24 * MIB);
	check_survives("[", "[],", 4 * MIB, 24 * MIB);
}

TEST_TIMEOUT(line_of_64_mib, 120)
{
	check_survives("\"", "a", 64 * MIB, 5 * MIB);
	check_survives("", "a", 64 * MIB, 5 * MIB);
	check_survives("", "1", 8 * MIB, 5 * MIB);
	check_survives("[\"", "a\",\"", 8 * MIB, 24 * MIB);
}

TEST(too_long_value_is_one_error_and_ends_with_its_line)
{
	static char text[2 * MIB];

	memset(text, 'a', sizeof(text));
	text[0] = '"';
	harness_start();
	say_bytes(text, sizeof(text));
	CHECK_HEARD(GENERIC("JSON token size limit exceeded"));
	say("\"}\n" PING);
	CHECK_HEARD(PONG);
	harness_stop();
}

TEST(info_lists_every_command)
{
	static const char *const names[] = {
		"guest-sync-delimited",
		"guest-sync",
		"guest-ping",
		"guest-info",
		"guest-fsfreeze-status",
		"guest-fsfreeze-freeze",
		"guest-fsfreeze-freeze-list",
		"guest-fsfreeze-thaw",
		"__org.kfreeze_report",
	};
	char member[96];
	size_t i;

	harness_start();
	say("{\"execute\":\"guest-info\"}");
	CHECK(strstr(heard, "\"version\": \"") != NULL);
	CHECK(strstr(heard, "\"enabled\": false") == NULL);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(member, sizeof(member),
			 "{\"enabled\": true, \"name\": \"%s\", \"success-response\": true}",
			 names[i]);
		CHECK(strstr(heard, member) != NULL);
	}
	harness_stop();
}

TEST(block_list_wins_over_allow_list)
{
	static char *allowed[] = {"guest-ping", "guest-sync", NULL};
	static char *blocked[] = {"guest-sync", NULL};

	config.allow_rpcs = allowed;
	config.block_rpcs = blocked;
	harness_start();
	say(PING SYNC("1") "{\"execute\":\"guest-info\"}");
	CHECK_HEARD(PONG NOT_FOUND(
		"Command guest-sync has been disabled: the command is not allowed")
			    NOT_FOUND("Command guest-info has been disabled: the command is not allowed"));
	harness_stop();
}

static char logged_command[80];
static unsigned int nr_logged;

/* Of libsystemd's name: the log calls this for the journal. */
int sd_journal_sendv(const struct iovec *fields, int nr);
int sd_journal_sendv(const struct iovec *fields, int nr)
{
	static const char name[] = "KFREEZE_COMMAND=";
	const size_t len = sizeof(name) - 1;

	nr_logged++;
	*logged_command = '\0';
	while (nr--) {
		if (fields[nr].iov_len > len &&
		    !memcmp(fields[nr].iov_base, name, len))
			snprintf(logged_command, sizeof(logged_command), "%.*s",
				 (int)(fields[nr].iov_len - len),
				 (char *)fields[nr].iov_base + len);
	}
	return 0;
}

static void log_to_the_journal(void)
{
	char stream[64];
	struct stat st;

	CHECK_EQ(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	CHECK_EQ(setenv("JOURNAL_STREAM", stream, 1), 0);
	CHECK_EQ(log_init("test", NULL, false), 0);
	CHECK(log_is_journal());
}

TEST(lines_about_a_command_name_it)
{
	static const char *const commands[] = {
		"guest-ping",	       "guest-fstrim",
		"guest-shutdown",      "guest-fsfreeze-freeze",
		"guest-fsfreeze-thaw",
	};
	char text[80];
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		harness_start();
		log_to_the_journal();
		nr_logged = 0;
		snprintf(text, sizeof(text), "{\"execute\":\"%s\"}", commands[i]);
		say(text);
		CHECK_EQ(nr_logged, 1);
		CHECK_STREQ(logged_command, commands[i]);
		log_release();
		harness_stop();
	}
}

TEST(mistyped_commands_are_unknown)
{
	CHECK(qga_command_is_known("guest-ping"));
	CHECK(qga_command_is_known("guest-exec"));
	CHECK(!qga_command_is_known("guest-pign"));
	CHECK(!qga_command_is_known(""));
}
