// SPDX-License-Identifier: GPL-2.0
/* The monitor's socket to the module, which others may send to and fill. Not
 * for the ioctl backend, which has none. */
/* link: ipc query */
/* libs: libnl-3.0 libnl-genl-3.0 */
#include "ktap.h"

#include <linux/kfreeze.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "client.h"
#include "sandbox.h"

#define AT_ONCE_MS 1000 /* a bound promised to users */

/* A socket that sends as if it were the kernel. */
struct forger {
	struct nl_sock *sock;
	struct nl_msg *loss; /* the result of a freeze that was lost */
};

/* The monitor's, as /proc/net/netlink has it. */
struct listener {
	uint32_t port;
	unsigned int queued; /* bytes that have not been read */
	unsigned int dropped; /* messages of the kernel that did not fit */
};

static struct ipc_reply freeze(struct client *client, const char *path)
{
	return client_answer(client, client_send_freeze(client, path, NULL));
}

static struct ipc_reply thaw(struct client *client)
{
	return client_answer(client, client_send(client, IPC_THAW));
}

static bool has_socket(pid_t pid, unsigned long inode)
{
	char path[64], name[64], link[64];
	ssize_t len;
	int fd;

	snprintf(name, sizeof(name), "socket:[%lu]", inode);
	for (fd = 0; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		len = readlink(path, link, sizeof(link) - 1);
		link[len > 0 ? len : 0] = '\0';
		if (!strcmp(link, name))
			return true;
	}
	return false;
}

static struct listener find_listener(const struct client *client)
{
	FILE *file = fopen("/proc/net/netlink", "re");
	struct listener listener;
	unsigned long inode;
	int protocol;
	char line[256];

	CHECK(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %d %u %*x %u %*u %*u %*u %u %lu",
			   &protocol, &listener.port, &listener.queued,
			   &listener.dropped, &inode) == 5 &&
		    protocol == NETLINK_GENERIC &&
		    has_socket(client->monitor, inode)) {
			fclose(file);
			return listener;
		}
	}
	KTAP_SAY("the monitor has no socket to the module");
	exit(EXIT_FAILURE);
}

static bool wait_for_read(const struct client *client)
{
	long long end_ms = clock_ms() + CLIENT_PATIENCE_MS;

	while (find_listener(client).queued) {
		if (clock_ms() >= end_ms)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

static bool wait_for_drop(const struct client *client)
{
	long long end_ms = clock_ms() + CLIENT_PATIENCE_MS;

	while (!find_listener(client).dropped) {
		if (clock_ms() >= end_ms)
			return false;
		poll(NULL, 0, 1);
	}
	return true;
}

static struct forger forger_start(const struct client *client)
{
	struct forger forger = {nl_socket_alloc(), nlmsg_alloc()};
	struct nl_msg *loss = forger.loss;
	int family;

	CHECK_EQ(genl_connect(forger.sock), 0);
	family = genl_ctrl_resolve(forger.sock, KFREEZE_GENL_NAME);
	CHECK(family > 0);
	CHECK(genlmsg_put(loss, 0, 0, family, 0, 0, KFREEZE_CMD_RESULT,
			  KFREEZE_GENL_VERSION));
	CHECK_EQ(nla_put_u32(loss, KFREEZE_A_STATE, KFREEZE_STATE_IDLE), 0);
	CHECK_EQ(nla_put_u32(loss, KFREEZE_A_VERDICT, KFREEZE_VERDICT_LOST), 0);
	nl_socket_set_nonblocking(forger.sock);
	nl_socket_set_peer_port(forger.sock, find_listener(client).port);
	return forger;
}

/* As it is: nl_send_auto() would give it a sequence number. */
static int forger_send(const struct forger *forger)
{
	return nl_send(forger->sock, forger->loss);
}

TEST(message_of_another_socket_is_ignored)
{
	struct forger forger;
	struct client client;
	struct ipc_reply reply;
	const char *a;

	SANDBOX_ENTER("");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	forger = forger_start(&client);
	CHECK(forger_send(&forger) > 0);
	CHECK(wait_for_read(&client));
	reply = client_answer(&client, client_send(&client, IPC_STATUS));
	CHECK_EQ(reply.state, IPC_FROZEN);
	CHECK(sandbox_is_frozen(a));
	reply = thaw(&client);
	CHECK_STREQ(reply.text, "");
	CHECK_EQ(reply.err, 0);
	CHECK_EQ(reply.count, 1);
}

static void stop(const struct client *client)
{
	int status;

	CHECK_EQ(kill(client->monitor, SIGSTOP), 0);
	CHECK_EQ(waitpid(client->monitor, &status, WUNTRACED), client->monitor);
	CHECK(WIFSTOPPED(status));
}

TEST(lost_result_is_asked_for)
{
	struct forger forger;
	struct client client;
	struct ipc_reply reply;
	const char *a;
	int err;

	SANDBOX_ENTER("[general]\ntimeout = 2\n");
	a = sandbox_mount("a", NULL);
	client = client_start();
	CHECK_EQ(freeze(&client, a).err, 0);
	stop(&client);
	forger = forger_start(&client);
	while ((err = forger_send(&forger)) > 0)
		;
	CHECK_EQ(err, -NLE_AGAIN);
	CHECK(sandbox_is_writable(a, 2000 + AT_ONCE_MS));
	CHECK(wait_for_drop(&client));
	CHECK_EQ(kill(client.monitor, SIGCONT), 0);
	CHECK(client_wait_state(&client, IPC_LOST, AT_ONCE_MS));
	CHECK(strstr(client.text, "its deadline passed"));
	reply = thaw(&client);
	CHECK_EQ(reply.err, -ESTALE);
	CHECK(strstr(reply.text, "fsfreeze is limited up to 2 seconds: "));
	CHECK_EQ(reply.state, IPC_THAWED);
}
