/* HTTP by libmicrohttpd, in one thread and one loop. */

#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <microhttpd.h>

#include "err.h"
#include "json.h"
#include "mem.h"

#include "cs.h"
#include "events.h"
#include "fattr.h"
#include "pack.h"
#include "transfer.h"
#include "web.h"

#define BODIES_MAX   ((size_t)96 << 20) /* of all requests under way */
#define BODY_SMALL   65536                /* is taken beyond that */
#define STREAM_BLOCK 65536
#define CONN_MEMORY  (160 << 10)        /* per connection: the pieces in
                                         * which bodies arrive */
#define CONNS_MAX    4000
#define CONNS_SELECT 400                /* where only select(2) waits */
#define FILES_SPARE  100                /* that are no connections */
#define BACKLOG      512
#define IDLE_S       300
#define PACK_MIN     1024               /* shorter answers stay plain */
#define PACK_AT_ONCE (1 << 20)          /* bytes between other requests */
#define SLOW_MS      20                 /* pause of a throttled transfer */

static struct {
	struct server *srv;
	struct MHD_Daemon *daemon;
	char url[64];
	struct request *waiting;   /* suspended ones */
	size_t bodies;             /* bytes held for requests under way */
	int tls;
} web;

static const struct route *const routes[] = {
	&cs_route, &events_wait_route, &events_old_wait_route,
	&events_wsc_route, &events_catchup_route, &events_sc_route,
	&transfer_up_route, &transfer_down_route, &fattr_route,
};

int64_t
web_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

const char *
web_url(void)
{
	return web.url;
}

const char *
web_arg(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_GET_ARGUMENT_KIND,
	    name);
}

const char *
web_header(const struct request *q, const char *name)
{
	return MHD_lookup_connection_value(q->conn, MHD_HEADER_KIND, name);
}

void
web_text(struct request *q, int status, const char *text)
{
	q->answer.status = status;
	q->answer.type = "application/json";
	buf_reset(&q->answer.body);
	buf_addstr(&q->answer.body, text);
}

void
web_code(struct request *q, int code)
{
	char text[16];

	snprintf(text, sizeof text, "%d", code > ERR_PROTO ? code :
	    ERR_INTERNAL);
	web_text(q, 200, text);
}

/* The log: one line, one write. */
static void
journal(const struct request *q)
{
	struct buf line = BUF_MAX(65536 + 512);
	struct timespec t;
	int64_t bytes = q->route->where == FAULT_UP ? q->got : q->sent;
	size_t names = q->commands.len;

	if (web.srv->journal < 0 || q->route->kind == NULL)
		return;
	clock_gettime(CLOCK_REALTIME, &t);
	buf_printf(&line, "{\"t\":%lld.%03ld,\"kind\":\"%s\",\"commands\":[",
	    (long long)t.tv_sec, t.tv_nsec / 1000000, q->route->kind);
	buf_add(&line, q->commands.p, names);
	buf_printf(&line, "],\"status\":%d,\"bytes\":%lld,\"sid\":%s}\n",
	    q->answer.status, (long long)bytes, q->sid ? "true" : "false");
	if (buf_check(&line) == 0 &&
	    write(web.srv->journal, line.p, line.len) < 0)
		fprintf(stderr, "mega-serve: log: %s\n", strerror(errno));
	buf_free(&line);
}

static void
request_free(struct request *q)
{
	struct answer *a = &q->answer;

	if (q->route->end != NULL)
		q->route->end(q);
	pack_free(q->pack);
	if (a->release != NULL)
		a->release(a->ctx);
	if (a->fd >= 0)
		close(a->fd);
	web.bodies -= q->body.cap;
	buf_free(&a->body);
	buf_free(&q->body);
	buf_free(&q->commands);
	free(q->path);
	free(q);
}

/* Only what can be a host goes into the URLs that we hand out. */
static int
host_ok(const char *host)
{
	return host != NULL && *host != '\0' && strlen(host) < 256 &&
	    host[strspn(host, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]")] == '\0';
}

static void
set_peer(struct request *q)
{
	const union MHD_ConnectionInfo *i;
	const struct sockaddr *sa;
	const char *host = web_header(q, "Host");
	const void *addr;

	if (host_ok(host))
		snprintf(q->base, sizeof q->base, "%s://%s",
		    web.srv->scheme, host);
	else
		snprintf(q->base, sizeof q->base, "%s", web.url);
	i = MHD_get_connection_info(q->conn,
	    MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (i == NULL || (sa = i->client_addr) == NULL)
		return;
	if (sa->sa_family == AF_INET6)
		addr = &((const struct sockaddr_in6 *)(const void *)sa)
		    ->sin6_addr;
	else
		addr = &((const struct sockaddr_in *)(const void *)sa)
		    ->sin_addr;
	inet_ntop(sa->sa_family, addr, q->ip, sizeof q->ip);
}

static const struct route *
find_route(const char *path)
{
	for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
		const char *prefix = routes[i]->prefix;
		size_t n = strlen(prefix);

		if (strncmp(path, prefix, n) == 0 &&
		    (prefix[n - 1] == '/' || path[n] == '\0'))
			return routes[i];
	}
	return NULL;
}

static void
answer_options(struct request *q)
{
	web_text(q, 204, "");
}

static void
answer_nothing(struct request *q)
{
	web_text(q, 404, "");
}

static const struct route options_route = {
	.prefix = "", .finish = answer_options,
};
static const struct route no_route = {
	.prefix = "", .finish = answer_nothing,
};

static struct request *
request_new(struct MHD_Connection *conn, const char *url, const char *method)
{
	struct request *q = xcalloc(1, sizeof *q);
	const char *length;

	q->srv = web.srv;
	q->conn = conn;
	q->method = method;
	q->path = xstrdup(url);
	q->answer.fd = -1;
	q->answer.size = -1;
	q->answer.plain = -1;
	q->answer.time_left = -1;
	q->fault.cut = -1;
	q->fault.easiness = -1;
	q->since_ms = web_now_ms();
	buf_init(&q->body, WEB_BODY_MAX);
	buf_init(&q->answer.body, (size_t)256 << 20);
	buf_init(&q->commands, 65536);
	set_peer(q);
	length = web_header(q, "Content-Length");
	q->length = length == NULL ? -1 : strtoll(length, NULL, 10);
	if (strcmp(method, "OPTIONS") == 0)
		q->route = &options_route;
	else if ((q->route = find_route(url)) == NULL)
		q->route = &no_route;
	return q;
}

static void
suspend(struct request *q, int64_t until)
{
	q->resume_ms = until;
	q->suspended = 1;
	q->prev = NULL;
	q->next = web.waiting;
	if (q->next != NULL)
		q->next->prev = q;
	web.waiting = q;
	MHD_suspend_connection(q->conn);
}

static void
resume(struct request *q)
{
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		web.waiting = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	q->suspended = 0;
	MHD_resume_connection(q->conn);
}

/* Let go on whoever waited long enough, or for an event. */
static void
resume_due(void)
{
	struct request *q, *next;
	int64_t now = web_now_ms();
	int changed = web.srv->changed;

	web.srv->changed = 0;
	for (q = web.waiting; q != NULL; q = next) {
		next = q->next;
		if (now >= q->resume_ms ||
		    (changed && q->answer.status == 0 && q->wait_ms > 0))
			resume(q);
	}
}

/*
 * Bytes of a throttled, cut, falsified or encrypted answer, in order.  The
 * plain ones go out without passing here.
 */
static ssize_t
source_read(struct request *q, char *p, size_t n)
{
	struct answer *a = &q->answer;

	if (a->fd >= 0) {
		if ((int64_t)n > a->size - q->sent)
			n = (size_t)(a->size - q->sent);
		return n == 0 ? 0 : pread(a->fd, p, n,
		    (off_t)(a->offset + q->sent));
	}
	if (a->read != NULL)
		return a->read(a->ctx, p, n);
	if (n > a->body.len - q->body_at)
		n = a->body.len - q->body_at;
	if (n > 0)
		memcpy(p, a->body.p + q->body_at, n);
	q->body_at += n;
	return (ssize_t)n;
}

static ssize_t
read_cb(void *cls, uint64_t pos, char *p, size_t n)
{
	struct request *q = cls;
	const struct fault *f = &q->fault;
	ssize_t got;

	(void)pos;
	if (f->cut >= 0) {
		if (q->sent >= f->cut)
			return MHD_CONTENT_READER_END_WITH_ERROR;
		if ((int64_t)n > f->cut - q->sent)
			n = (size_t)(f->cut - q->sent);
	}
	if (f->slow > 0) {
		int64_t now = web_now_ms();
		int64_t due = (now - q->slow_ms) * f->slow / 1000 - q->sent;

		if (due <= 0) {
			suspend(q, now + SLOW_MS);
			return 0;
		}
		if ((int64_t)n > due)
			n = (size_t)due;
	}
	got = source_read(q, p, n);
	if (got < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (got == 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (f->flip && q->sent == 0)
		p[(size_t)got / 2] ^= 1;
	q->sent += got;
	return got;
}

/* What can be sent without a callback, or NULL. */
static struct MHD_Response *
plain_response(struct request *q)
{
	struct answer *a = &q->answer;
	struct MHD_Response *m;

	if (a->read != NULL || q->fault.cut >= 0 || q->fault.flip ||
	    q->fault.slow > 0)
		return NULL;
	if (a->fd < 0) {
		q->sent = a->size;
		return MHD_create_response_from_buffer(a->body.len,
		    a->body.p, MHD_RESPMEM_PERSISTENT);
	}
	/* libmicrohttpd makes TLS records of 4 KiB out of a file. */
	if (web.tls)
		return NULL;
	m = MHD_create_response_from_fd_at_offset64((uint64_t)a->size,
	    a->fd, (uint64_t)a->offset);
	if (m != NULL)
		a->fd = -1; /* the response closes it */
	q->sent = a->size;
	return m;
}

static int64_t
part_of(int64_t all, int64_t percent)
{
	return all / 100 * percent + all % 100 * percent / 100;
}

static struct MHD_Response *
make_response(struct request *q)
{
	struct answer *a = &q->answer;
	struct MHD_Response *m;
	uint64_t size;

	if (a->fd < 0 && a->read == NULL)
		a->size = (int64_t)a->body.len;
	if (q->fault.cut_percent && q->fault.cut >= 0)
		q->fault.cut = part_of(a->size < 0 ? STREAM_BLOCK : a->size,
		    q->fault.cut);
	if ((m = plain_response(q)) != NULL)
		return m;
	size = a->size < 0 ? MHD_SIZE_UNKNOWN : (uint64_t)a->size;
	q->slow_ms = web_now_ms();
	return MHD_create_response_from_callback(size, STREAM_BLOCK, read_cb,
	    q, NULL);
}

static void
add_number(struct MHD_Response *m, const char *name, int64_t v)
{
	char number[24];

	snprintf(number, sizeof number, "%lld", (long long)v);
	MHD_add_response_header(m, name, number);
}

/* Clients compare the names of these headers with case. */
static void
add_headers(const struct request *q, struct MHD_Response *m)
{
	const struct answer *a = &q->answer;

	MHD_add_response_header(m, "Access-Control-Allow-Origin", "*");
	MHD_add_response_header(m, "Access-Control-Allow-Headers",
	    "Content-Type, Range, X-Hashcash");
	MHD_add_response_header(m, "Access-Control-Allow-Methods",
	    "GET, POST, OPTIONS");
	MHD_add_response_header(m, "Access-Control-Expose-Headers",
	    "Original-Content-Length, X-MEGA-Time-Left, X-Hashcash");
	MHD_add_response_header(m, "Content-Type", a->type == NULL ?
	    "application/octet-stream" : a->type);
	if (a->plain >= 0) {
		MHD_add_response_header(m, "Content-Encoding", "gzip");
		add_number(m, "Original-Content-Length", a->plain);
	}
	if (a->time_left >= 0)
		add_number(m, "X-MEGA-Time-Left", a->time_left);
	if (a->hashcash[0] != '\0')
		MHD_add_response_header(m, "X-Hashcash", a->hashcash);
	if (a->range[0] != '\0')
		MHD_add_response_header(m, "Content-Range", a->range);
}

static enum MHD_Result
send_answer(struct request *q)
{
	struct MHD_Response *m = make_response(q);
	enum MHD_Result r;

	if (m == NULL)
		return MHD_NO;
	add_headers(q, m);
	r = MHD_queue_response(q->conn, (unsigned)q->answer.status, m);
	MHD_destroy_response(m);
	return r;
}

static int
want_pack(const struct request *q)
{
	const struct answer *a = &q->answer;
	const char *accept = web_header(q, "Accept-Encoding");

	return web.srv->gzip && a->plain < 0 && a->status == 200 &&
	    a->fd < 0 && a->type != NULL && (a->read != NULL ||
	    a->body.len >= PACK_MIN) && accept != NULL &&
	    strstr(accept, "gzip") != NULL;
}

/* The compressed answer takes the place of the plain one. */
static void
use_pack(struct request *q)
{
	struct answer *a = &q->answer;

	if (a->release != NULL)
		a->release(a->ctx);
	a->release = NULL;
	a->read = NULL;
	a->plain = pack_plain(q->pack);
	a->size = pack_size(q->pack);
	a->offset = 0;
	a->fd = pack_take(q->pack);
}

/* Compress some more of the answer: 1 when that was all, 0 or negative. */
static int
pack_some(struct request *q)
{
	char block[STREAM_BLOCK];
	ssize_t n = 1;

	if (q->pack == NULL && (q->pack = pack_new(web.srv->store.dir)) ==
	    NULL)
		return ERR_LOCAL;
	for (int i = 0; i < PACK_AT_ONCE / STREAM_BLOCK && n > 0; i++) {
		n = source_read(q, block, sizeof block);
		if (n > 0 && pack_add(q->pack, block, (size_t)n) < 0)
			return ERR_LOCAL;
	}
	if (n != 0)
		return n < 0 ? ERR_LOCAL : 0;
	if (pack_end(q->pack) < 0)
		return ERR_LOCAL;
	use_pack(q);
	return 1;
}

/* When the answer may go out: a slow body has not arrived before. */
static int64_t
due_ms(const struct request *q)
{
	int64_t t = q->fault.delay_ms, body = 0;

	if (q->route->where == FAULT_UP && q->fault.slow > 0)
		body = q->got * 1000 / q->fault.slow;
	return q->since_ms + (body > t ? body : t);
}

/* Have the route answer: 0 if it wants to be asked again. */
static int
answered(struct request *q)
{
	struct answer *a = &q->answer;

	if (a->status == 0 && q->fault.http != 0) {
		web_text(q, q->fault.http, "");
		if (q->fault.left > 0)
			a->time_left = q->fault.left;
	}
	if (a->status == 0 && !q->fault.drop) {
		q->wait_ms = 0;
		q->route->finish(q);
	}
	return a->status != 0 || q->fault.drop;
}

static enum MHD_Result
wait_until(struct request *q, int64_t ms)
{
	suspend(q, ms);
	return MHD_YES;
}

/* The body is there, or a wait is over. */
static enum MHD_Result
finish(struct request *q)
{
	int r = 1;

	if (!answered(q))
		return wait_until(q, q->wait_ms);
	if (want_pack(q))
		r = pack_some(q);
	if (r == 0)
		return wait_until(q, web_now_ms());
	if (due_ms(q) > web_now_ms())
		return wait_until(q, due_ms(q));
	if (r < 0 || q->fault.lost || q->fault.drop) {
		q->answer.status = 0; /* what the log shall say */
		return MHD_NO;
	}
	return send_answer(q);
}

/* Whether the body so far is all that a cut connection lets through. */
static int
body_cut(struct request *q)
{
	struct fault *f = &q->fault;

	if (q->route->where != FAULT_UP || f->cut < 0)
		return 0;
	if (f->cut_percent) {
		f->cut = part_of(q->length, f->cut);
		f->cut_percent = 0;
	}
	return q->got >= f->cut;
}

static enum MHD_Result
take_body(struct request *q, const char *p, size_t *n)
{
	size_t held = q->body.cap;
	int64_t slow = q->route->where == FAULT_UP ? q->fault.slow : 0;
	int r = 0;

	if (slow > 0) {
		int64_t now = web_now_ms();

		if ((now - q->since_ms) * slow / 1000 < q->got) {
			suspend(q, now + SLOW_MS);
			return MHD_YES;
		}
	}
	q->got += (int64_t)*n;
	if (body_cut(q))
		return MHD_NO;
	if (q->route->body != NULL && q->answer.status == 0 &&
	    q->fault.http == 0 && !q->fault.drop)
		r = q->route->body(q, p, *n);
	web.bodies += q->body.cap - held;
	*n = 0;
	if (web.bodies > BODIES_MAX && q->body.len > BODY_SMALL)
		return MHD_NO;
	return r < 0 ? MHD_NO : MHD_YES;
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *conn, const char *url,
    const char *method, const char *version, const char *data, size_t *n,
    void **con_cls)
{
	struct request *q = *con_cls;

	(void)cls;
	(void)version;
	if (q == NULL) {
		*con_cls = q = request_new(conn, url, method);
		return MHD_YES;
	}
	if (!q->begun) {
		q->begun = 1;
		if (q->route->begin != NULL)
			q->route->begin(q);
	}
	return *n > 0 ? take_body(q, data, n) : finish(q);
}

static void
on_done(void *cls, struct MHD_Connection *conn, void **con_cls,
    enum MHD_RequestTerminationCode how)
{
	struct request *q = *con_cls;

	(void)cls;
	(void)conn;
	(void)how;
	if (q == NULL)
		return;
	journal(q);
	request_free(q);
	*con_cls = NULL;
}

static int
set_address(struct sockaddr_storage *ss, socklen_t *len,
    const struct web_options *o)
{
	struct sockaddr_in *in = (struct sockaddr_in *)(void *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)ss;
	const char *addr = o->addr == NULL ? "127.0.0.1" : o->addr;

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, addr, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(o->port);
		*len = sizeof *in;
		return 0;
	}
	if (inet_pton(AF_INET6, addr, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(o->port);
		*len = sizeof *in6;
		return 0;
	}
	return err_set(ERR_USAGE, "%s: no numeric address", addr);
}

static int
listen_at(const struct web_options *o, uint16_t *port)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1, fd, r;

	if ((r = set_address(&ss, &len, o)) < 0)
		return r;
	if ((fd = socket(ss.ss_family, SOCK_STREAM, 0)) < 0)
		return err_local("socket");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	/* Connections inherit it: without, a TLS handshake waits for the
	 * other end's delayed acknowledgement, 40 ms. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&ss, len) < 0 ||
	    listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&ss, &len) < 0) {
		r = err_local("%s port %u", o->addr == NULL ? "127.0.0.1" :
		    o->addr, (unsigned)o->port);
		close(fd);
		return r;
	}
	*port = ntohs(ss.ss_family == AF_INET6 ?
	    ((struct sockaddr_in6 *)(void *)&ss)->sin6_port :
	    ((struct sockaddr_in *)(void *)&ss)->sin_port);
	return fd;
}

/* How many connections there may be; a client that has one is likely to
 * have a file open as well. */
static unsigned
conns_max(int epoll)
{
	struct rlimit r;

	if (!epoll || getrlimit(RLIMIT_NOFILE, &r) < 0)
		return CONNS_SELECT;
	r.rlim_cur = r.rlim_max;
	if (r.rlim_cur > 2 * CONNS_MAX + FILES_SPARE)
		r.rlim_cur = 2 * CONNS_MAX + FILES_SPARE;
	if (setrlimit(RLIMIT_NOFILE, &r) < 0 ||
	    r.rlim_cur < 2 * CONNS_SELECT + FILES_SPARE)
		return CONNS_SELECT;
	return (unsigned)((r.rlim_cur - FILES_SPARE) / 2);
}

int
web_start(struct server *s, const struct web_options *o)
{
	int epoll = MHD_is_feature_supported(MHD_FEATURE_EPOLL) == MHD_YES;
	unsigned flags = MHD_ALLOW_SUSPEND_RESUME, most = conns_max(epoll);
	struct MHD_OptionItem tls[] = {
		{ o->cert == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_CERT,
		    0, o->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, o->key },
		{ MHD_OPTION_END, 0, NULL },
	};
	const char *addr = o->addr;
	uint16_t port = 0;
	int fd;

	if ((fd = listen_at(o, &port)) < 0)
		return fd;
	web.srv = s;
	web.tls = o->cert != NULL;
	if (epoll)
		flags |= MHD_USE_EPOLL;
	if (o->cert != NULL)
		flags |= MHD_USE_TLS;
	web.daemon = MHD_start_daemon(flags, port, NULL, NULL, on_request,
	    NULL, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONN_MEMORY,
	    MHD_OPTION_CONNECTION_LIMIT, most,
	    /* No stranger shall have them all. */
	    MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->strangers ? most / 4 : 0,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
	if (web.daemon == NULL) {
		close(fd);
		return err_set(ERR_LOCAL, "the HTTP server does not start%s",
		    o->cert != NULL ? " (certificate and key?)" : "");
	}
	/* Every address of the machine: then this one as well. */
	if (addr == NULL || strcmp(addr, "0.0.0.0") == 0)
		addr = "127.0.0.1";
	else if (strcmp(addr, "::") == 0)
		addr = "::1";
	snprintf(web.url, sizeof web.url, strchr(addr, ':') != NULL ?
	    "%s://[%s]:%u" : "%s://%s:%u", s->scheme, addr, (unsigned)port);
	return 0;
}

/* How long nothing needs to be done, in ms; -1: for ever. */
static int64_t
idle_ms(void)
{
	int64_t now = web_now_ms(), least = -1;
	MHD_UNSIGNED_LONG_LONG ms;

	if (web.srv->changed)
		return 0;
	if (MHD_get_timeout(web.daemon, &ms) == MHD_YES)
		least = ms > 60000 ? 60000 : (int64_t)ms;
	for (struct request *q = web.waiting; q != NULL; q = q->next) {
		int64_t left = q->resume_ms - now;

		if (left < 0)
			left = 0;
		if (least < 0 || left < least)
			least = left;
	}
	return least;
}

void
web_turn(const void *unblocked)
{
	fd_set in, out, ex;
	struct timespec t;
	int64_t ms;
	int max = 0;

	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_ZERO(&ex);
	MHD_get_fdset(web.daemon, &in, &out, &ex, &max);
	ms = idle_ms();
	t.tv_sec = (time_t)(ms / 1000);
	t.tv_nsec = (long)(ms % 1000) * 1000000;
	pselect(max + 1, &in, &out, &ex, ms < 0 ? NULL : &t, unblocked);
	resume_due();
	store_tidy(&web.srv->store);
	MHD_run(web.daemon);
}

void
web_stop(void)
{
	struct request *q, *next;

	for (q = web.waiting; q != NULL; q = next) {
		next = q->next;
		resume(q);
	}
	if (web.daemon != NULL)
		MHD_stop_daemon(web.daemon);
	web.daemon = NULL;
}
