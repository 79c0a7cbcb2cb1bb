#include <arpa/inet.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "elcpage.h"
#include "elcserver.h"
#include "elcusers.h"
#include "err.h"
#include "out.h"
#include "private.h"
#include "secret.h"

#define PASSWORD_MAX 4096 /* bytes of its file */

/* How a request ended: a word for the log, and for the client. */
struct outcome {
	const char *word, *says;
};

static const struct outcome done = { "ok", "" };
static const struct outcome done_legacy = { "ok-legacy", "" };
static const struct outcome bad_method = { "method",
    "This page is for download programs, which POST to it" };
static const struct outcome too_large = { "too-large",
    "The request is too large" };
static const struct outcome no_body = { "no-body", "The request is empty" };
static const struct outcome bad_login = { "login",
    "User or API key is not right" };
static const struct outcome too_many = { "rate",
    "Too many requests; try again in a minute" };
static const struct outcome bad_operation = { "operation",
    "OPERATION_TYPE is neither E nor D" };
static const struct outcome bad_key = { "data",
    "DATA is not the key of a container" };
static const struct outcome bad_token = { "token",
    "This container was not made for this server" };
static const struct outcome fault = { "fault",
    "The server is out of order; tell its operator" };

struct request {
	const struct elcserver *server;
	struct elcusers *users;
	struct buf body;
	struct elcpage_form form;
	char who[64];               /* address, for the rate */
	char d[ELCPAGE_TOKEN_TEXT]; /* the answer: a token or, shorter, a
	                             * key */
};

static int
failed(const struct outcome *o)
{
	return o->says[0] != '\0';
}

static struct slice
slice_of(const struct buf *b)
{
	return (struct slice){ b->p != NULL ? b->p : "", b->len };
}

static const char *
variable(const char *name)
{
	const char *v = getenv(name);

	return v != NULL ? v : "";
}

/* The address to count requests by: of IPv6 the network, since everybody
 * has 2^64 addresses in one. */
static void
client_network(char *out, size_t size, const char *addr)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	uint8_t ip[16];

	if (inet_pton(AF_INET6, addr, ip) != 1) {
		snprintf(out, size, "a %s",
		    inet_pton(AF_INET, addr, ip) == 1 ? addr : "-");
		return;
	}
	memcpy(out, "a ", 2);
	if (memcmp(ip, mapped, sizeof mapped) == 0) {
		inet_ntop(AF_INET, ip + sizeof mapped, out + 2,
		    (socklen_t)size - 2);
	} else {
		memset(ip + 8, 0, 8);
		inet_ntop(AF_INET6, ip, out + 2, (socklen_t)size - 2);
	}
}

static const struct outcome *
read_body(struct buf *body)
{
	const char *text = variable("CONTENT_LENGTH");
	char *end;
	long left;
	ssize_t n;
	void *to;

	errno = 0;
	left = strtol(text, &end, 10);
	if (end == text || *end != '\0' || left <= 0)
		return &no_body;
	if (errno != 0 || left > ELCPAGE_BODY_MAX)
		return &too_large;
	while (left > 0) {
		if ((to = buf_reserve(body, (size_t)left)) == NULL)
			return &too_large;
		n = read(STDIN_FILENO, to, (size_t)left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return &no_body;
		body->len += (size_t)n;
		left -= n;
	}
	return &done;
}

/* Count a request; done if it is within the rate. */
static const struct outcome *
count(struct request *q, const char *who, int64_t limit)
{
	int r = elcusers_count(q->users, who, time(NULL), limit);

	return r < 0 ? &fault : r == 0 ? &too_many : &done;
}

/* Who asks, and how often. */
static const struct outcome *
admit(struct request *q)
{
	char who[ELCUSERS_NAME_MAX + 3];
	const struct outcome *o;
	int r;

	o = count(q, q->who, q->server->rate * ELCSERVER_SHARE);
	if (failed(o))
		return o;
	r = elcusers_check(q->users, slice_of(&q->form.user),
	    slice_of(&q->form.apikey));
	if (r <= 0)
		return r < 0 ? &fault : &bad_login;
	/* Only now, so that nobody can use up another user's share. */
	snprintf(who, sizeof who, "u %s", buf_str(&q->form.user));
	return count(q, who, q->server->rate);
}

static const struct outcome *
encrypt(struct request *q)
{
	uint8_t key[ELC_KEY_SIZE];

	if (elcpage_key_read(key, slice_of(&q->form.data)) < 0)
		return &bad_key;
	elcpage_token(q->d, elcusers_secret(q->users), key);
	secret_zero(key, sizeof key);
	return &done;
}

/* A token of the page that was there before us. */
static const struct outcome *
decrypt_legacy(struct request *q, uint8_t key[ELC_KEY_SIZE])
{
	const char *path = q->server->password_file;
	struct buf b = BUF_MAX(PASSWORD_MAX);
	const struct outcome *o = &bad_token;
	int r;

	if (path == NULL)
		return o;
	if ((r = private_read(&b, path)) != 0) {
		if (r > 0)
			err_set(ERR_LOCAL, "%s: no such file", path);
		o = &fault;
	} else {
		b.len = strcspn(buf_str(&b), "\r\n");
		if (elcpage_token_open_legacy(key, buf_str(&b),
		    slice_of(&q->form.data)) == 0)
			o = &done_legacy;
	}
	buf_wipe(&b);
	return o;
}

static const struct outcome *
decrypt(struct request *q)
{
	const struct outcome *o = &done;
	uint8_t key[ELC_KEY_SIZE];

	if (elcpage_token_open(key, elcusers_secret(q->users),
	    slice_of(&q->form.data)) < 0)
		o = decrypt_legacy(q, key);
	if (!failed(o))
		elc_key_write(q->d, key);
	secret_zero(key, sizeof key);
	return o;
}

static const struct outcome *
operate(struct request *q)
{
	const char *operation = buf_str(&q->form.operation);

	if (strcmp(operation, "E") == 0)
		return encrypt(q);
	if (strcmp(operation, "D") == 0)
		return decrypt(q);
	return &bad_operation;
}

static const struct outcome *
handle(struct request *q)
{
	const struct outcome *o;

	if (strcmp(variable("REQUEST_METHOD"), "POST") != 0)
		return &bad_method;
	o = read_body(&q->body);
	if (failed(o))
		return o;
	elcpage_form_read(&q->form, slice_of(&q->body));
	if (elcusers_open(&q->users, q->server->db, 0) < 0)
		return &fault;
	o = admit(q);
	return failed(o) ? o : operate(q);
}

/* One line without anything secret, or anything that a stranger could forge
 * lines with. */
static void
log_line(struct request *q, const struct outcome *o)
{
	const char *operation = buf_str(&q->form.operation);
	const char *path = q->server->log;
	struct buf b = BUF_MAX(4096);
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";
	int fd = STDERR_FILENO;

	if (gmtime_r(&now, &tm) != NULL)
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	buf_printf(&b, "%s %s user=%s op=%s %s", when, q->who + 2,
	    elcusers_name_ok(slice_of(&q->form.user)) ?
	    buf_str(&q->form.user) : "-",
	    strcmp(operation, "E") == 0 || strcmp(operation, "D") == 0 ?
	    operation : "-", o->word);
	if (o == &fault)
		buf_printf(&b, ": %s", err_text());
	buf_addch(&b, '\n');
	if (path != NULL)
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
		    0640);
	if (fd == -1)
		fd = STDERR_FILENO;
	out_all(fd, "log", b.p, b.len);
	if (fd != STDERR_FILENO)
		close(fd);
	buf_free(&b);
}

static int
answer(const struct request *q, const struct outcome *o)
{
	struct buf json = BUF_MAX(4096), b = BUF_MAX(8192);
	int r;

	elcpage_reply(&json, o->says, failed(o) ? "" : q->d);
	buf_addstr(&b, o == &bad_method ?
	    "Status: 405 Method Not Allowed\r\nAllow: POST\r\n" :
	    "Status: 200 OK\r\n");
	buf_printf(&b, "Content-Type: application/json; charset=utf-8\r\n"
	    "Cache-Control: no-store\r\nContent-Length: %zu\r\n\r\n",
	    json.len);
	buf_add(&b, json.p, json.len);
	r = out_all(STDOUT_FILENO, "answer", b.p, b.len);
	buf_wipe(&json);
	buf_wipe(&b);
	return r;
}

int
elcserver_cgi(const struct elcserver *s)
{
	struct request q = { .server = s,
	    .body = BUF_MAX(ELCPAGE_BODY_MAX) };
	const struct outcome *o;
	int r;

	elcpage_form_read(&q.form, (struct slice){ "", 0 });
	client_network(q.who, sizeof q.who, variable("REMOTE_ADDR"));
	o = handle(&q);
	log_line(&q, o);
	r = answer(&q, o);
	buf_wipe(&q.body);
	elcpage_form_free(&q.form);
	secret_zero(q.d, sizeof q.d);
	elcusers_close(q.users);
	return r;
}
