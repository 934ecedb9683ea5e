// SPDX-License-Identifier: GPL-2.0
/*
 * commits STATEMENT CLIENT [ARG...]: commit transaction 1, 2, 3, ... through a
 * database's client, one at a time. Each @ of STATEMENT is the number, and a
 * line that is the number acknowledges it; "NUMBER NANOSECONDS" is printed then.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS 10000000 /* an emulated processor has more to do */

static FILE *input, *output; /* of the client */
static pid_t client;

static void pause_ns(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

static void start_client(char **argv)
{
	int in[2], out[2];

	if (pipe(in) || pipe(out))
		exit(1);
	client = fork();
	if (client == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	input = fdopen(in[1], "w");
	output = fdopen(out[0], "r");
}

/* The server may have been stopped: it is asked until it is back. */
static void restart_client(char **argv)
{
	fclose(input);
	fclose(output);
	waitpid(client, NULL, 0);
	pause_ns(PAUSE_NS);
	start_client(argv);
}

static int commit(const char *statement, long number)
{
	char line[4096], *end;

	for (; *statement; statement++) {
		if (*statement == '@')
			fprintf(input, "%ld", number);
		else
			fputc(*statement, input);
	}
	fputc('\n', input);
	if (fflush(input))
		return -EPIPE;
	while (fgets(line, sizeof(line), output)) {
		if (strtol(line, &end, 10) == number && *end == '\n')
			return 0;
	}
	return -EPIPE;
}

int main(int argc, char **argv)
{
	struct timespec now;
	long number;

	if (argc < 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	start_client(argv + 2);
	for (number = 1;; number++) {
		while (commit(argv[1], number))
			restart_client(argv + 2);
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%ld %lld\n", number,
		       now.tv_sec * 1000000000LL + now.tv_nsec);
		pause_ns(PAUSE_NS);
	}
}
