#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "aes.h"
#include "b64.h"
#include "err.h"
#include "key.h"
#include "mem.h"
#include "secret.h"
#include "shape.h"

#define SID_SIZE 43 /* bytes of a session id */

static int
open_channel(struct account *a)
{
	const char *url = session_url(&a->session);
	char auth[SESSION_SID_MAX + 8] = "";

	if (url == NULL)
		return ERR_USAGE;
	if (a->session.sid[0] != '\0')
		snprintf(auth, sizeof auth, "sid=%s", a->session.sid);
	a->http = http_new();
	a->api = api_new(a->http, url, auth);
	secret_zero(auth, sizeof auth);
	return 0;
}

static int
load_session(struct account *a, const char *path)
{
	char *file = session_path(path);
	int r;

	if (file == NULL)
		return ERR_LOCAL;
	r = session_load(&a->session, file);
	free(file);
	return r;
}

int
account_open(struct account *a, const char *path)
{
	int r;

	*a = (struct account){ 0 };
	if ((r = load_session(a, path)) < 0)
		return r;
	return open_channel(a);
}

int
account_open_any(struct account *a, const char *path)
{
	*a = (struct account){ 0 };
	if (load_session(a, path) < 0) {
		session_free(&a->session);
		err_clear();
	}
	return open_channel(a);
}

/* The reply to "us" for an ephemeral account. */
struct us {
	uint8_t tsid[SID_SIZE];
	char user[12];
	int has_tsid;
};

static const struct shape us_shape[] = {
	SHAPE(us, tsid, "tsid", SHAPE_BYTES, SHAPE_REQUIRED, 0, SID_SIZE),
	SHAPE(us, user, "u", SHAPE_HANDLE, 0, 0, 11),
	SHAPE_END
};

/* "up": make the account; its handle into user. */
static int
create(struct account *a, const struct aes *master, char user[12])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "up");
	struct json j = { 0 };
	struct slice h;
	uint8_t password[16], wrapped[16], challenge[32];
	int v;

	secret_random(password, sizeof password);
	secret_random(challenge, 16);
	key_wrap(wrapped, a->session.master, 16, password);
	aes_encrypt(master, challenge + 16, challenge, 1);
	json_put_b64(&o, "k", wrapped, sizeof wrapped);
	json_put_b64(&o, "ts", challenge, sizeof challenge);
	secret_zero(password, sizeof password);
	if ((v = api_wait(a->api, &c, &o, &j)) < 0)
		goto out;
	h = json_raw(&j, v);
	if (json_type(&j, v) != JSON_STRING || h.n != 11 ||
	    !b64_valid(h.p, h.n)) {
		v = err_set(ERR_PROTO, "reply to \"up\": want a user handle");
		goto out;
	}
	memcpy(user, h.p, 11);
	user[11] = '\0';
out:
	json_free(&j);
	return v < 0 ? v : 0;
}

/* "us" by handle: the session id, which proves that it is for our key. */
static int
begin_session(struct account *a, const struct aes *master,
    const char user[12])
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "us");
	struct json j = { 0 };
	struct us us = { 0 };
	uint8_t proof[16];
	int r;

	json_put(&o, "user", user);
	if ((r = api_wait(a->api, &c, &o, &j)) < 0 ||
	    (r = shape_read("reply to \"us\"", us_shape, &j, r, &us)) < 0)
		goto out;
	aes_encrypt(master, proof, us.tsid, 1);
	if (!secret_equal(proof, us.tsid + SID_SIZE - 16, 16)) {
		r = err_set(ERR_MAC, "the service's session id does not "
		    "belong to the account just made");
		goto out;
	}
	b64_encode(a->session.sid, us.tsid, SID_SIZE);
	memcpy(a->session.user, user, 12);
out:
	secret_zero(&us, sizeof us);
	json_free(&j);
	return r < 0 ? r : 0;
}

int
account_ephemeral(struct account *a)
{
	struct aes master;
	char user[12], auth[SESSION_SID_MAX + 8];
	char *url;
	int r;

	url = xstrdup(session_url(&a->session));
	session_free(&a->session);
	a->session = (struct session){ .extra = BUF_MAX(SESSION_FILE_MAX) };
	a->session.api = url;
	api_set_auth(a->api, "");
	secret_random(a->session.master, sizeof a->session.master);
	aes_init(&master, a->session.master);
	if ((r = create(a, &master, user)) == 0 &&
	    (r = begin_session(a, &master, user)) == 0) {
		snprintf(auth, sizeof auth, "sid=%s", a->session.sid);
		api_set_auth(a->api, auth);
		secret_zero(auth, sizeof auth);
	}
	aes_wipe(&master);
	return r;
}

int
account_logout(struct account *a)
{
	struct api_cmd c = { 0 };
	struct json_out o = api_begin(&c, "sml");
	struct json j = { 0 };
	int r = api_wait(a->api, &c, &o, &j);

	json_free(&j);
	if (r < 0 && r != ERR_SID)
		return r;
	return a->session.path != NULL ? session_remove(a->session.path) : 0;
}

void
account_close(struct account *a)
{
	api_free(a->api);
	http_free(a->http);
	session_free(&a->session);
	a->api = NULL;
	a->http = NULL;
}
