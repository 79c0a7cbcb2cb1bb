/* mega-mount: the account, or a folder, as a file system. */

#include <sys/statvfs.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "cmd.h"
#include "err.h"
#include "link.h"
#include "mem.h"

#include "dirs.h"
#include "events.h"
#include "file.h"
#include "mount.h"
#include "notice.h"
#include "open.h"

#define SYNOPSIS "[-fqv] [-o OPTION[,OPTION ...]] [--session=FILE] " \
	"[OPERAND] MOUNTPOINT"

#define CACHE_DEFAULT   ((int64_t)1 << 30)
#define TIMEOUT_DEFAULT 60
#define OPTIONS_TEXT    16384
#define REQUESTS_TURN   64    /* of the kernel's, before others' turn */
#define TICK_MS         1000

static const struct cmd_opt options[] = {
	{ 'f', "foreground", NULL, "stay in the foreground" },
	{ 'o', "options", "LIST", "ro, allow_other, cache=SIZE, timeout=S, "
	    "umask=M, ... and those of mount" },
	CMD_QUIET, CMD_VERBOSE, CMD_SESSION, CMD_END
};

static struct {
	const char *operand, *where;
	int64_t cache;
	struct buf fuse;       /* what is left for the kernel */
	int allow_other, umask_set;
} opt = { .cache = CACHE_DEFAULT, .fuse = BUF_MAX(OPTIONS_TEXT) };

struct mount mnt;

static struct http_watch watch;
static struct http_timer tick;
static struct fuse_buf request;
static int report_fd = -1;    /* of who waits for us to be mounted */
static int own_tree;          /* not the remote's */

/*
 * Options.
 */

/* The value of "name=value", or NULL. */
static const char *
value_of(const char *item, const char *name)
{
	size_t n = strlen(name);

	return strncmp(item, name, n) == 0 && item[n] == '=' ?
	    item + n + 1 : NULL;
}

static unsigned
number_of(const char *text, const char *name, int base)
{
	char *end;
	unsigned long n = strtoul(text, &end, base);

	if (*text == '\0' || *end != '\0' || n > UINT_MAX)
		cmd_usage("-o %s=%s: not a number", name, text);
	return (unsigned)n;
}

/* One of ours: 1, or 0 if it is not. */
static int
own_option(const char *item)
{
	const char *v;

	if ((v = value_of(item, "cache")) != NULL)
		opt.cache = cmd_number(v, "-o cache", 1);
	else if ((v = value_of(item, "timeout")) != NULL)
		mnt.timeout_s = cmd_number(v, "-o timeout", 0);
	else if ((v = value_of(item, "umask")) != NULL)
		mnt.umask = number_of(v, "umask", 8) & 0777;
	else if ((v = value_of(item, "uid")) != NULL)
		mnt.uid = number_of(v, "uid", 10);
	else if ((v = value_of(item, "gid")) != NULL)
		mnt.gid = number_of(v, "gid", 10);
	else if ((v = value_of(item, "session")) != NULL)
		cmd.session = xstrdup(v);
	else
		return 0;
	opt.umask_set |= value_of(item, "umask") != NULL;
	return 1;
}

static void
one_option(const char *item)
{
	if (strcmp(item, "ro") == 0)
		mnt.read_only = 1;
	if (strcmp(item, "rw") == 0)
		mnt.read_only = 0;
	if (strcmp(item, "allow_other") == 0)
		opt.allow_other = 1;
	if (*item == '\0' || own_option(item))
		return;
	buf_addstr(&opt.fuse, ",");
	buf_addstr(&opt.fuse, item);
}

static void
split_options(const char *list)
{
	char *copy = xstrdup(list), *p = copy, *end;

	for (; p != NULL; p = end) {
		end = strchr(p, ',');
		if (end != NULL)
			*end++ = '\0';
		one_option(p);
	}
	free(copy);
}

static void
parse(int argc, char *argv[])
{
	int ch;

	while ((ch = cmd_option(argc, argv)) != -1) {
		switch (ch) {
		case 'f':
			mnt.foreground = 1;
			break;
		case 'o':
			split_options(optarg);
			break;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc < 1 || argc > 2)
		cmd_usage(argc < 1 ? "mount where?" : "too many operands");
	opt.where = argv[argc - 1];
	if (argc == 2 && *argv[0] != '\0' && strcmp(argv[0], "none") != 0)
		opt.operand = argv[0];
	if (buf_check(&opt.fuse) < 0)
		cmd_usage("-o: too long");
	if (opt.allow_other) {
		buf_addstr(&opt.fuse, ",default_permissions");
		if (!opt.umask_set)
			mnt.umask = 022;
	}
}

/* Time-outs are the same everywhere. */
static void
set_timeout(void)
{
	const char *env = getenv("MEGA_TIMEOUT");
	char text[32];

	if (mnt.timeout_s <= 0 && env != NULL)
		mnt.timeout_s = strtol(env, NULL, 10);
	if (mnt.timeout_s <= 0)
		mnt.timeout_s = TIMEOUT_DEFAULT;
	snprintf(text, sizeof text, "%lld", (long long)mnt.timeout_s);
	setenv("MEGA_TIMEOUT", text, 1);
}

/* A daemon leaves its folder: names that begin there get all of it. */
static char *
absolute(const char *path)
{
	char cwd[PATH_MAX];

	if (*path == '/' || getcwd(cwd, sizeof cwd) == NULL)
		return xstrdup(path);
	return xasprintf("%s/%s", cwd, path);
}

static void
make_absolute(const char *name)
{
	const char *value = getenv(name);
	char *full;

	if (value == NULL || *value == '\0')
		return;
	full = absolute(value);
	setenv(name, full, 1);
	free(full);
}

/*
 * What is mounted.
 */

static int
open_account(void)
{
	struct node bin;
	int r;

	if ((r = remote_tree(&mnt.remote, &mnt.tree)) < 0)
		return r;
	mnt.api = mnt.remote.account.api;
	mnt.bin = TOP;
	if (tree_root(mnt.tree, NODE_RUBBISH, &bin) == 0) {
		mnt.bin = node_number(bin.h);
		node_free(&bin);
	}
	return 0;
}

static int
open_operand(int64_t *id)
{
	struct place *p = &mnt.place;
	int r;

	if ((r = path_find(&mnt.remote, opt.operand, p)) < 0)
		return r;
	if (p->kind == PLACE_LINK || p->node.type == NODE_FILE)
		return err_set(ERR_USAGE, "is a file; only folders can be "
		    "mounted");
	if (p->node.h[0] == '\0')
		return err_set(ERR_USAGE, "is no folder of its own; each of "
		    "those in it can be mounted");
	*id = node_number(p->node.h);
	if (p->kind == PLACE_NODE)
		return open_account();
	mnt.api = p->api;
	mnt.tree = p->tree;
	mnt.bin = TOP;
	mnt.read_only = 1;
	return 0;
}

static int
open_remote(void)
{
	int64_t id = TOP;
	int r;

	if ((r = remote_open(&mnt.remote, cmd.session)) < 0)
		return r;
	mnt.http = mnt.remote.account.http;
	mnt.whole = opt.operand == NULL;
	r = mnt.whole ? open_account() : open_operand(&id);
	if (r == 0) {
		mnt.root = inode_get(id, NULL);
		inode_pin(mnt.root);
	}
	return r;
}

void
mount_use_tree(struct tree *t)
{
	if (mnt.place.kind == PLACE_NODE)
		mnt.remote.tree = t;
	if (mnt.place.kind == PLACE_NODE || own_tree)
		tree_close(mnt.tree);
	own_tree = mnt.place.kind != PLACE_NODE;
	mnt.tree = t;
}

/* Where new contents are kept until the service has them: beside the
 * session. */
static void
find_spool(void)
{
	const struct session *s = &mnt.remote.account.session;
	const char *slash;

	if (mnt.read_only || s->path == NULL)
		return;
	slash = strrchr(s->path, '/');
	mnt.spool = xasprintf("%.*sspool-%s", slash != NULL ?
	    (int)(slash + 1 - s->path) : 0, s->path, s->user);
}

static void
open_blocks(void)
{
	const char *url = session_url(&mnt.remote.account.session);
	char *dir = opt.cache > 0 && url != NULL ?
	    cache_place("blocks", url) : NULL;

	if (dir != NULL && blocks_open(&mnt.blocks, dir, opt.cache) < 0) {
		cmd_note("going on without a cache: %s", err_text());
		err_clear();
	}
	free(dir);
}

static void
on_moved(void *ctx, int64_t n)
{
	(void)ctx;
	(void)n;
	mnt.moved_ms = http_now_ms();
}

static void
open_engines(void)
{
	struct contents_options c = { .timeout_s = mnt.timeout_s,
	    .limit_rate = cmd_limit_rate() };
	struct upload_options u = { .moved = on_moved,
	    .limit_rate = cmd_limit_rate() };

	open_blocks();
	mnt.contents = contents_new(mnt.http, mnt.blocks, &c);
	mnt.uploads = uploads_new(mnt.http, &u);
}

/*
 * The kernel's side.
 */

static void
on_init(void *ctx, struct fuse_conn_info *conn)
{
	(void)ctx;
	/* Contents never change under the kernel, and times that we round
	 * should not make it drop what it has. */
	conn->want &= ~(unsigned)(FUSE_CAP_AUTO_INVAL_DATA |
	    FUSE_CAP_SPLICE_READ);
	mnt.tells_opendir = !(conn->capable & FUSE_CAP_NO_OPENDIR_SUPPORT);
	conn->time_gran = 1000000000;
	conn->max_background = 64;
	conn->congestion_threshold = 48;
}

static const struct fuse_lowlevel_ops operations = {
	.init = on_init,
	.lookup = look_lookup,
	.forget = look_forget,
	.forget_multi = look_forget_many,
	.getattr = look_getattr,
	.opendir = look_opendir,
	.readdir = look_readdir,
	.readdirplus = look_readdirplus,
	.statfs = look_statfs,
	.getxattr = look_getxattr,
	.listxattr = look_listxattr,
	.open = write_open,
	.read = read_read,
	.release = write_release,
	.create = write_create,
	.mknod = write_mknod,
	.write = write_write,
	.flush = write_flush,
	.fsync = write_fsync,
	.setattr = write_setattr,
	.mkdir = dirs_mkdir,
	.unlink = dirs_unlink,
	.rmdir = dirs_unlink,
	.rename = dirs_rename,
};

/* What /proc/mounts says is mounted; anybody may read it. */
static void
add_source(struct buf *b)
{
	struct buf text = BUF_MAX(OPTIONS_TEXT);

	buf_addstr(b, "fsname=mega");
	if (opt.operand != NULL) {
		link_redact(&text, opt.operand);
		buf_addch(b, ':');
	}
	for (size_t k = 0; k < text.len; k++) {
		if (text.p[k] == ',' || text.p[k] == '\\')
			buf_addch(b, '\\');
		buf_addch(b, text.p[k]);
	}
	buf_free(&text);
}

static int
make_session(void)
{
	struct buf list = BUF_MAX(2 * OPTIONS_TEXT);
	char name[] = "mega-mount", o[] = "-o";
	char *argv[] = { name, o, NULL, NULL };
	struct fuse_args args = { 3, argv, 0 };
	int r = 0;

	add_source(&list);
	buf_addstr(&list, ",subtype=mega-mount");
	if (mnt.read_only)
		buf_addstr(&list, ",ro");
	buf_add(&list, opt.fuse.p, opt.fuse.len);
	argv[2] = buf_steal(&list);
	mnt.se = fuse_session_new(&args, &operations, sizeof operations,
	    NULL);
	if (mnt.se == NULL)
		r = err_set(ERR_USAGE, "these options cannot be used: %s",
		    argv[2]);
	free(argv[2]);
	fuse_opt_free_args(&args);
	return r;
}

/* A mount whose process died is of no use to anybody.  What stat says of it
 * the kernel may still know by heart, but not this. */
static void
clear_dead_mount(const char *where)
{
	struct statvfs st;
	pid_t pid;

	if (statvfs(where, &st) == 0 || errno != ENOTCONN)
		return;
	cmd_note("%s: removing a mount that died", where);
	if ((pid = fork()) == 0) {
		execlp("fusermount3", "fusermount3", "-u", "-z", "--", where,
		    (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

/* Read and answer what the kernel wants. */
static void
on_request(struct http_watch *w)
{
	(void)w;
	for (int k = 0; k < REQUESTS_TURN; k++) {
		int n = fuse_session_receive_buf(mnt.se, &request);

		if (n == -EINTR)
			continue;
		if (n <= 0) {
			if (n < 0 && n != -EAGAIN)
				fuse_session_exit(mnt.se);
			return;
		}
		events_apply();
		fuse_session_process_buf(mnt.se, &request);
	}
}

static int
mount_it(void)
{
	char *where = absolute(opt.where);
	int fd, r;

	if ((r = make_session()) == 0 &&
	    fuse_session_mount(mnt.se, where) == -1)
		r = err_set(ERR_LOCAL, "%s: cannot be mounted", opt.where);
	free(where);
	if (r < 0)
		return r;
	fd = fuse_session_fd(mnt.se);
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	watch.fd = fd;
	watch.ready = on_request;
	http_watch_set(mnt.http, &watch);
	return notice_start();
}

/*
 * The process.
 */

static void
on_signal(int sig)
{
	(void)sig;
	mnt.stop = 1;
}

static void
catch_signals(void)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal };

	sigemptyset(&sa.sa_mask);
	for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
		sigaction(signals[k], &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Wait for the daemon to be mounted, or not, and end like it. */
COMPAT_NORETURN static void
await(pid_t pid, int fd)
{
	unsigned char status;
	ssize_t n;
	int end;

	while ((n = read(fd, &status, 1)) == -1 && errno == EINTR)
		continue;
	if (n == 1)
		_exit(status);
	waitpid(pid, &end, 0);
	_exit(WIFEXITED(end) ? WEXITSTATUS(end) : EXIT_MIXED);
}

static int
to_background(void)
{
	int fds[2];
	pid_t pid;

	if (pipe(fds) == -1)
		return err_local("pipe");
	fflush(stdout);
	if ((pid = fork()) == -1)
		return err_local("fork");
	if (pid > 0) {
		close(fds[1]);
		await(pid, fds[0]);
	}
	close(fds[0]);
	fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	report_fd = fds[1];
	setsid();
	return 0;
}

/* Tell who waits that we are mounted, and let go of the terminal. */
static void
let_go(void)
{
	unsigned char status = 0;
	int null;

	if (mnt.foreground)
		return;
	openlog("mega-mount", LOG_PID, LOG_DAEMON);
	if (chdir("/") == -1 || (null = open("/dev/null", O_RDWR)) == -1)
		return;
	if (write(report_fd, &status, 1) == 1)
		close(report_fd);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

static void
on_tick(struct http_timer *t)
{
	file_try_again();
	http_timer_set(mnt.http, t, TICK_MS);
}

static void
serve(void)
{
	events_start();
	file_recover();
	tick.fire = on_tick;
	http_timer_set(mnt.http, &tick, TICK_MS);
	while (!mnt.stop && !fuse_session_exited(mnt.se))
		http_turn(mnt.http, -1);
	http_watch_clear(mnt.http, &watch);
	http_timer_clear(mnt.http, &tick);
	file_finish_all();
}

static int
run(void)
{
	int r;

	if ((r = open_remote()) < 0)
		return r;
	find_spool();
	open_engines();
	mnt.since = (int64_t)time(NULL);
	clear_dead_mount(opt.where);
	if ((r = mount_it()) < 0)
		return r;
	let_go();
	catch_signals();
	serve();
	return 0;
}

static void
clean_up(void)
{
	events_stop();
	if (mnt.se != NULL) {
		fuse_session_unmount(mnt.se);
		notice_stop();
		fuse_session_destroy(mnt.se);
	}
	free(request.mem);
	file_free_all();
	inode_free_all();
	blocks_close(mnt.blocks);
	if (own_tree)
		tree_close(mnt.tree);
	place_free(&mnt.place);
	remote_close(&mnt.remote);
	free(mnt.spool);
	buf_free(&opt.fuse);
}

int
main(int argc, char *argv[])
{
	int r = 0;

	cmd_init("mega-mount", SYNOPSIS, options);
	mnt.uid = getuid();
	mnt.gid = getgid();
	parse(argc, argv);
	set_timeout();
	make_absolute("MEGA_CACHE");
	make_absolute("MEGA_SESSION");
	if (cmd.session != NULL)
		cmd.session = absolute(cmd.session);
	if (!mnt.foreground)
		r = to_background();
	if (r == 0)
		r = run();
	if (r < 0)
		cmd_fail(opt.operand, r);
	clean_up();
	return cmd_finish();
}
