// SPDX-License-Identifier: GPL-2.0
/*
 * fork and exec. Output goes to memory: nobody has to wait for its end, which
 * may be as late as that of what the program leaves behind.
 */
#include "query_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "query_child.h"

#define OUTPUT_SHOWN 256

static _Noreturn void execute(const char *const argv[], int output)
{
	static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					    "LANG=C", NULL};
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || chdir("/"))
		_exit(126);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	execve(argv[0], (char *const *)argv, environment);
	dprintf(STDERR_FILENO, "failed to exec '%s': %s", argv[0],
		strerror(errno));
	_exit(127);
}

/* Its wait status, or -errno. */
static int run(const char *const argv[], int output)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		execute(argv, output);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	return status;
}

static int explain(struct query_child *child, const char *purpose, int status,
		   int output)
{
	char text[OUTPUT_SHOWN + 1];
	ssize_t len = pread(output, text, OUTPUT_SHOWN, 0);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	text[len > 0 ? len : 0] = '\0';
	if (!WIFEXITED(status))
		return query_child_fail(
			child, -EIO, "child process has terminated abnormally");
	if (*text)
		return query_child_fail(child, -EIO,
					"child process has failed to %s: %s",
					purpose, text);
	return query_child_fail(child, -EIO,
				"child process has failed to %s: exit status %d",
				purpose, WEXITSTATUS(status));
}

int query_command_run(struct query_child *child, const char *const argv[],
		      const char *purpose)
{
	int output = memfd_create("output", MFD_CLOEXEC), status, err;

	if (output < 0)
		return -errno;
	status = run(argv, output);
	if (status <= 0)
		err = status;
	else
		err = explain(child, purpose, status, output);
	close(output);
	return err;
}
