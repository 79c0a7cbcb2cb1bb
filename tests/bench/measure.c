/*
 * measure FILE COMMAND [ARG ...]: run the command and append one line to the
 * file: the seconds it took, those of processor time, its peak memory in KiB.
 * Ends with the command's status.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double
seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char *argv[])
{
	double begin = now(), end;
	struct rusage used;
	FILE *out;
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: measure FILE COMMAND [ARG ...]\n", stderr);
		return 2;
	}
	if ((pid = fork()) == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1 ||
	    getrusage(RUSAGE_CHILDREN, &used) == -1 ||
	    (out = fopen(argv[1], "a")) == NULL) {
		perror("measure");
		return 99;
	}
	end = now();
	fprintf(out, "%.6f %.6f %ld\n", end - begin, seconds(&used.ru_utime) +
	    seconds(&used.ru_stime), used.ru_maxrss);
	if (fclose(out) != 0)
		return 99;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
