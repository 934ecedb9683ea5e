// SPDX-License-Identifier: GPL-2.0
/* CAP_SYS_ADMIN of this machine, and of whoever opened the socket too. */
#include "client.h"

#include <linux/capability.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ktap.h"

#define NOBODY 65534

static void check_has_no_right(struct client *client)
{
	CHECK_EQ(client_command(client, KFREEZE_CMD_OPEN), -EPERM);
	CHECK_STREQ(client->text, "OPEN needs CAP_SYS_ADMIN");
	CHECK_EQ(client_command(client, KFREEZE_CMD_RESCUE), -EPERM);
	CHECK_STREQ(client->text, "RESCUE needs CAP_SYS_ADMIN");
	CHECK_EQ(client_status(client, NULL, 0), -EPERM);
	if (client->text[0]) /* 6.1 has no text for dumps */
		CHECK_STREQ(client->text,
			    "STATUS needs a session or CAP_SYS_ADMIN");
}

TEST(info_is_for_anybody)
{
	struct client *client = client_new();

	CHECK_EQ(setresuid(NOBODY, NOBODY, NOBODY), 0);
	CHECK_EQ(client_command(client, KFREEZE_CMD_INFO), 0);
}

TEST(nobody_has_no_right)
{
	struct client *client = client_new();

	CHECK_EQ(setresuid(NOBODY, NOBODY, NOBODY), 0);
	check_has_no_right(client);
	CHECK_EQ(client_listen(client), -EPERM);
}

/* The right to configure the network, which genl's own flag asks for. */
TEST(cap_net_admin_is_not_enough)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{.effective = 1 << CAP_NET_ADMIN, .permitted = 1 << CAP_NET_ADMIN},
	};
	struct client *client;

	CHECK_EQ(syscall(SYS_capset, &header, data), 0);
	client = client_new();
	check_has_no_right(client);
	CHECK_EQ(client_listen(client), -EPERM);
}

/* Else it could have a privileged process send OPEN, and be the owner. */
TEST(opener_of_the_socket_needs_the_right_too)
{
	struct client *client;

	CHECK_EQ(setresuid(NOBODY, NOBODY, 0), 0);
	client = client_new();
	CHECK_EQ(setresuid(0, 0, 0), 0);
	check_has_no_right(client);
	client_open();
}

TEST(root_of_another_user_namespace_has_no_right)
{
	struct client *client;

	if (unshare(CLONE_NEWUSER) && errno == EINVAL)
		SKIP("this kernel has one user namespace only");
	client = client_new();
	check_has_no_right(client);
	CHECK_EQ(client_listen(client), -EPERM);
}
