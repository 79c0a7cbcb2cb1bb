#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "err.h"
#include "http.h"
#include "libcurl.h"
#include "mem.h"

#define RECEIVE_BUFFER ((long)HTTP_DATA_MAX) /* 16 KiB doubles the cost */
#define SEND_BUFFER    (256 * 1024L)
#define POOL_MAX       32            /* idle easy handles kept */
#define WATCH_MAX      4             /* descriptors watched */
#define TURN_MS        1000          /* a turn waits no longer */

struct http {
	CURLM *multi;
	CURL *pool[POOL_MAX];
	int npool;
	struct http_req *active;
	struct http_timer *timers;   /* soonest first */
	struct http_watch *watches;
	int64_t turned_ms, awake_ms; /* at the last turn */
};

/* Where there is one, a clock that goes on while the machine sleeps: what
 * was to be waited for is over then. */
#ifdef CLOCK_BOOTTIME
#define CLOCK CLOCK_BOOTTIME
#else
#define CLOCK CLOCK_MONOTONIC
#endif

int64_t
http_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
http_awake_ms(const struct http *h)
{
	return h->awake_ms;
}

/* Between two turns no more passes than one waits, or we were asleep. */
static void
count_turn(struct http *h)
{
	int64_t now = http_now_ms(), ms = now - h->turned_ms;

	h->awake_ms += ms < TURN_MS ? ms : TURN_MS;
	h->turned_ms = now;
}

struct http *
http_new(void)
{
	return xcalloc(1, sizeof(struct http));
}

/* Without libcurl nothing can be asked, as without memory. */
static void
no_curl(const char *why)
{
	fprintf(stderr, "libcurl does not start%s%s\n",
	    *why != '\0' ? ": " : "", why);
	exit(1);
}

/* A command that asks nobody does without. */
static void
start_curl(struct http *h)
{
	if (h->multi != NULL)
		return;
	if (libcurl_load() < 0)
		no_curl(err_text());
	curl_global_init(CURL_GLOBAL_DEFAULT);
	h->multi = curl_multi_init();
	if (h->multi == NULL)
		no_curl("");
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 64L);
}

void
http_free(struct http *h)
{
	if (h == NULL)
		return;
	while (h->active != NULL)
		http_cancel(h->active);
	while (h->npool > 0)
		curl_easy_cleanup(h->pool[--h->npool]);
	if (h->multi != NULL) {
		curl_multi_cleanup(h->multi);
		curl_global_cleanup();
	}
	free(h);
}

/* Whether certificates in a folder can be found by their names. */
static int
is_hashed(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int found = 0;

	if (d == NULL)
		return 0;
	while (!found && (e = readdir(d)) != NULL) {
		size_t n = strlen(e->d_name);

		found = n == 10 && strcmp(e->d_name + 8, ".0") == 0;
	}
	closedir(d);
	return found;
}

/*
 * Reading the bundle of all authorities costs 20 ms for each connection;
 * a folder of hashed certificates costs nothing.  Use it alone where there
 * is one and nobody named a bundle.
 */
static void
set_authorities(CURL *c)
{
	static int hashed = -1;
	const char *file = getenv("SSL_CERT_FILE");
	const char *dir = getenv("SSL_CERT_DIR");
	int named = dir != NULL && *dir != '\0';

	if (file == NULL || *file == '\0')
		file = getenv("CURL_CA_BUNDLE");
	if (file != NULL && *file != '\0') {
		curl_easy_setopt(c, CURLOPT_CAINFO, file);
		return;
	}
	if (!named)
		dir = "/etc/ssl/certs";
	if (hashed < 0)
		hashed = is_hashed(dir);
	if (hashed)
		curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	if (hashed || named)
		curl_easy_setopt(c, CURLOPT_CAPATH, dir);
}

/* A header line's value if it has that name, else NULL. */
static const char *
header_value(const char *line, size_t n, const char *name, size_t *len)
{
	size_t k = strlen(name);

	if (n <= k || strncasecmp(line, name, k) != 0 || line[k] != ':')
		return NULL;
	for (k++; k < n && (line[k] == ' ' || line[k] == '\t'); k++)
		continue;
	while (n > k && isspace((unsigned char)line[n - 1]))
		n--;
	*len = n - k;
	return line + k;
}

static int64_t
header_number(const char *p, size_t n)
{
	int64_t v = 0;

	if (n == 0 || n > 15)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v;
}

/* Keep a value that fits. */
static void
keep(char *dst, size_t size, const char *v, size_t n)
{
	if (n >= size)
		return;
	memcpy(dst, v, n);
	dst[n] = '\0';
}

static size_t
on_header(char *line, size_t size, size_t n, void *ctx)
{
	struct http_req *r = ctx;
	const char *v;
	size_t len;
	long status;

	n *= size;
	if (n > 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* A new head: forget an interim one (100 Continue). */
		curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
		r->status = (int)status;
		r->length = r->time_left = -1;
		r->hashcash[0] = r->location[0] = '\0';
		r->html = 0;
	} else if ((v = header_value(line, n, "Content-Length", &len))) {
		r->length = header_number(v, len);
	} else if ((v = header_value(line, n, "X-MEGA-Time-Left", &len))) {
		r->time_left = header_number(v, len);
	} else if ((v = header_value(line, n, "X-Hashcash", &len))) {
		keep(r->hashcash, sizeof r->hashcash, v, len);
	} else if ((v = header_value(line, n, "Location", &len))) {
		keep(r->location, sizeof r->location, v, len);
	} else if ((v = header_value(line, n, "Content-Type", &len))) {
		r->html = len >= 9 && strncasecmp(v, "text/html", 9) == 0;
	}
	return n;
}

/* Whether this is what was asked for; a short answer may be an error number,
 * which must not get between the data. */
static int
check_kind(const struct http_req *r)
{
	if (r->want == 0)
		return 0;
	if (r->html)
		return err_set(ERR_NET, "a web page came instead of data");
	if (r->length >= 0 && r->length < r->want)
		return err_set(ERR_NET, "%lld bytes came instead of %lld",
		    (long long)r->length, (long long)r->want);
	return 0;
}

static size_t
on_data(char *p, size_t size, size_t n, void *ctx)
{
	struct http_req *r = ctx;

	n *= size;
	if (r->data == NULL || (r->status != 200 && r->status != 206))
		return n;
	r->result = check_kind(r);
	if (r->result == 0)
		r->result = r->data(r, p, n);
	return r->result == 0 ? n : n + 1; /* anything but n ends it */
}

static CURL *
easy_get(struct http *h)
{
	CURL *c = h->npool > 0 ? h->pool[--h->npool] : curl_easy_init();

	if (c == NULL)
		no_curl("");
	return c;
}

static void
setup(CURL *c, struct http_req *r)
{
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_PRIVATE, r);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "megapipe/" MEGAPIPE_VERSION);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, SEND_BUFFER);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME,
	    (long)(r->idle_s > 0 ? r->idle_s : HTTP_IDLE_S));
	curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	if (r->compressed)
		curl_easy_setopt(c, CURLOPT_ACCEPT_ENCODING, "");
	if (r->post) {
		curl_easy_setopt(c, CURLOPT_POST, 1L);
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)r->bodylen);
		curl_easy_setopt(c, CURLOPT_POSTFIELDS,
		    r->body != NULL ? r->body : "");
	}
	if (r->limit_rate > 0) {
		curl_easy_setopt(c, CURLOPT_MAX_RECV_SPEED_LARGE,
		    (curl_off_t)r->limit_rate);
		curl_easy_setopt(c, CURLOPT_MAX_SEND_SPEED_LARGE,
		    (curl_off_t)r->limit_rate);
	}
	set_authorities(c);
}

void
http_start(struct http *h, struct http_req *r)
{
	struct curl_slist *list = NULL;
	CURL *c;

	start_curl(h);
	c = easy_get(h);
	r->loop = h;
	r->easy = c;
	r->status = 0;
	r->length = r->time_left = -1;
	r->sent = 0;
	r->hashcash[0] = r->location[0] = '\0';
	r->html = r->refused = r->untrusted = 0;
	r->result = 0;
	setup(c, r);
	/* No form type by itself, and no waiting for "100 Continue". */
	list = curl_slist_append(list, "Expect:");
	if (r->post)
		list = curl_slist_append(list, r->type != NULL ? r->type :
		    "Content-Type: application/octet-stream");
	for (size_t i = 0; i < sizeof r->header / sizeof *r->header; i++)
		if (r->header[i] != NULL)
			list = curl_slist_append(list, r->header[i]);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
	r->headers = list;
	r->next = h->active;
	if (r->next != NULL)
		r->next->prev = &r->next;
	r->prev = &h->active;
	h->active = r;
	curl_multi_add_handle(h->multi, c);
}

/* Take a request out of the loop. */
static void
detach(struct http_req *r)
{
	struct http *h = r->loop;

	curl_multi_remove_handle(h->multi, r->easy);
	curl_slist_free_all(r->headers);
	if (h->npool < POOL_MAX) {
		curl_easy_reset(r->easy);
		h->pool[h->npool++] = r->easy;
	} else {
		curl_easy_cleanup(r->easy);
	}
	*r->prev = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
	r->easy = r->headers = NULL;
}

void
http_cancel(struct http_req *r)
{
	if (r->easy != NULL)
		detach(r);
}

void
http_pause(struct http_req *r, int pause)
{
	if (r->easy != NULL)
		curl_easy_pause(r->easy, pause ? CURLPAUSE_RECV :
		    CURLPAUSE_CONT);
}

/* Tell of a transfer that failed; where it did not come to talking, with
 * whom. */
static int
tell(const struct http_req *r, CURLcode code)
{
	const char *host = strstr(r->url, "://");
	const char *words = curl_easy_strerror(code);

	if ((!r->refused && !r->untrusted) || host == NULL)
		return err_set(ERR_NET, "%s", words);
	host += 3;
	return err_set(ERR_NET, "%.*s: %s", (int)strcspn(host, "/"), host,
	    words);
}

static void
finish(struct http_req *r, CURLcode code)
{
	curl_off_t sent = 0;

	curl_easy_getinfo(r->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
	r->sent = sent;
	r->refused = code == CURLE_COULDNT_RESOLVE_HOST ||
	    code == CURLE_COULDNT_RESOLVE_PROXY ||
	    code == CURLE_COULDNT_CONNECT;
	r->untrusted = code == CURLE_PEER_FAILED_VERIFICATION ||
	    code == CURLE_SSL_CACERT_BADFILE;
	detach(r);
	if (r->result == 0 && code != CURLE_OK)
		r->result = tell(r, code);
	r->done(r, r->result);
}

void
http_timer_clear(struct http *h, struct http_timer *t)
{
	struct http_timer **at = &h->timers;

	if (!t->set)
		return;
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->set = 0;
}

void
http_timer_set(struct http *h, struct http_timer *t, int64_t ms)
{
	struct http_timer **at = &h->timers;

	http_timer_clear(h, t);
	t->at_ms = http_now_ms() + ms;
	while (*at != NULL && (*at)->at_ms <= t->at_ms)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	t->set = 1;
}

static void
fire_timers(struct http *h)
{
	int64_t now = http_now_ms();

	while (h->timers != NULL && h->timers->at_ms <= now) {
		struct http_timer *t = h->timers;

		http_timer_clear(h, t);
		t->fire(t);
	}
}

void
http_watch_set(struct http *h, struct http_watch *w)
{
	if (w->set)
		return;
	w->next = h->watches;
	h->watches = w;
	w->set = 1;
}

void
http_watch_clear(struct http *h, struct http_watch *w)
{
	struct http_watch **at = &h->watches;

	if (!w->set)
		return;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	w->set = 0;
}

/* Wait for sockets, watched descriptors or the time, and call those that
 * watch. */
static void
poll_all(struct http *h, int wait)
{
	struct curl_waitfd fds[WATCH_MAX];
	struct http_watch *who[WATCH_MAX];
	unsigned n = 0;

	for (struct http_watch *w = h->watches; w != NULL && n < WATCH_MAX;
	    w = w->next) {
		fds[n] = (struct curl_waitfd){ .fd = w->fd,
		    .events = CURL_WAIT_POLLIN };
		who[n++] = w;
	}
	if (curl_multi_poll(h->multi, fds, n, wait, NULL) != CURLM_OK)
		return;
	for (unsigned i = 0; i < n; i++)
		if (fds[i].revents != 0 && who[i]->set)
			who[i]->ready(who[i]);
}

/* Report requests that have ended; returns how many. */
static int
report_ended(struct http *h)
{
	CURLMsg *m;
	int n, count = 0;

	while ((m = curl_multi_info_read(h->multi, &n)) != NULL) {
		struct http_req *r;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
		finish(r, m->data.result);
		count++;
	}
	return count;
}

int
http_turn(struct http *h, int64_t max_ms)
{
	int n;
	int64_t wait = max_ms < 0 || max_ms > TURN_MS ? TURN_MS : max_ms;

	count_turn(h);
	start_curl(h);
	curl_multi_perform(h->multi, &n);
	if (report_ended(h) > 0)
		wait = 0;
	fire_timers(h);
	if (h->active == NULL && h->timers == NULL && h->watches == NULL)
		return 0;
	if (h->timers != NULL) {
		int64_t left = h->timers->at_ms - http_now_ms();

		if (left < wait)
			wait = left > 0 ? left : 0;
	}
	poll_all(h, (int)wait);
	return 1;
}

/* The host of an http URL: 1 with its name in host, 0 if there is none. */
static int
url_host(const char *url, size_t scheme, char *host, size_t max)
{
	const char *p = url + scheme, *end;
	size_t n;

	if (*p == '[') {
		p++;
		end = strchr(p, ']');
	} else {
		end = p + strcspn(p, ":/?#");
	}
	if (end == NULL || end == p || (n = (size_t)(end - p)) >= max)
		return 0;
	memcpy(host, p, n);
	host[n] = '\0';
	return strchr(host, '@') == NULL;
}

static int
is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	    (strncmp(host, "127.", 4) == 0 &&
	    strspn(host, "0123456789.") == strlen(host));
}

int
http_check_url(const char *url)
{
	char host[256];

	if (strncmp(url, "https://", 8) == 0 &&
	    url_host(url, 8, host, sizeof host))
		return 0;
	if (strncmp(url, "http://", 7) == 0 &&
	    url_host(url, 7, host, sizeof host) && is_loopback(host))
		return 0;
	return err_set(ERR_USAGE, "not a URL of https, or of http on this "
	    "machine: %s", url);
}

int
http_check_data_url(const char *url, size_t n)
{
	if (n > 0 && n <= 2048 && memchr(url, '\0', n) == NULL &&
	    ((n > 8 && memcmp(url, "https://", 8) == 0) ||
	    (n > 7 && memcmp(url, "http://", 7) == 0)))
		return 0;
	return err_set(ERR_PROTO, "the service named no usable URL");
}
