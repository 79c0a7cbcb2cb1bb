#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "err.h"
#include "out.h"
#include "tty.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
#define NSIGNALS (sizeof signals / sizeof *signals)

static volatile sig_atomic_t caught;

static void
on_signal(int sig)
{
	caught = sig;
}

static int
read_line(int fd, struct buf *answer)
{
	char c;
	ssize_t n;

	while ((n = read(fd, &c, 1)) == 1 && c != '\n')
		if (buf_addch(answer, c) < 0)
			return ERR_TOOBIG;
	/* What comes next begins on a line of its own. */
	if (n != 1)
		out_all(fd, "the terminal", "\n", 1);
	if (n == -1)
		return err_set(ERR_LOGIN, "interrupted");
	if (n != 1 && answer->len == 0)
		return err_set(ERR_LOGIN, "no answer on the terminal");
	return 0;
}

/* A signal that comes meanwhile is raised at the end: it finds the terminal as
 * it was. */
static int
ask(int fd, struct buf *answer, const char *question, int secret)
{
	struct sigaction old[NSIGNALS], sa = { .sa_handler = on_signal };
	struct termios was, now;
	int r, echo_off = 0;

	buf_reset(answer);
	caught = 0;
	/* No SA_RESTART: a signal has to end the read. */
	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &sa, &old[i]);
	if (secret && tcgetattr(fd, &was) == 0) {
		now = was;
		now.c_lflag &= ~(tcflag_t)ECHO;
		now.c_lflag |= ECHONL;
		echo_off = tcsetattr(fd, TCSAFLUSH, &now) == 0;
	}
	r = out_all(fd, "the terminal", question, strlen(question));
	if (r == 0)
		r = read_line(fd, answer);
	if (echo_off)
		tcsetattr(fd, TCSAFLUSH, &was);
	for (size_t i = 0; i < NSIGNALS; i++)
		sigaction(signals[i], &old[i], NULL);
	if (caught != 0)
		raise(caught);
	return r;
}

int
tty_ask(struct buf *answer, const char *question, int secret)
{
	int fd, r;

	if ((fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) == -1)
		return err_set(ERR_LOGIN, "no terminal to ask on");
	/* Whoever was stopped and goes on is asked again. */
	do
		r = ask(fd, answer, question, secret);
	while (caught == SIGTSTP);
	close(fd);
	return r;
}
