/* Tickets of data URLs: id, time and kind, and a MAC. */

#include <string.h>

#include "b64.h"
#include "err.h"
#include "kdf.h"
#include "secret.h"

#include "ticket.h"

#define FIELDS_SIZE (TICKET_SIZE - 16)

static void
mac(uint8_t out[32], const struct store *s, const uint8_t *fields)
{
	kdf_hmac_sha256(out, s->secret, sizeof s->secret, fields,
	    FIELDS_SIZE);
}

char *
ticket_print(char out[TICKET_TEXT], const struct store *s,
    const struct ticket *t)
{
	uint8_t b[FIELDS_SIZE + 32];

	number_put(b, t->id, 8);
	number_put(b + 8, t->time, 5);
	b[13] = (uint8_t)t->kind;
	mac(b + FIELDS_SIZE, s, b);
	return b64_encode(out, b, TICKET_SIZE);
}

int
ticket_read(const struct store *s, struct ticket *t, const char *text,
    size_t n)
{
	uint8_t b[TICKET_SIZE], want[32];

	if (b64_decode_exact(b, sizeof b, text, n) < 0)
		return ERR_ACCESS;
	mac(want, s, b);
	if (!secret_equal(want, b + FIELDS_SIZE, 16))
		return ERR_ACCESS;
	*t = (struct ticket){ .kind = b[13], .id = number_get(b, 8),
	    .time = number_get(b + 8, 5) };
	return 0;
}
