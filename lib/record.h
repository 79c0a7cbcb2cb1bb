/* Nodes as the JSON objects of mega-json(5). */
#ifndef RECORD_H
#define RECORD_H

#include "json.h"
#include "node.h"
#include "send.h"

/* A member with bytes that need not be UTF-8: then they come a second time
 * in base64, in KEY_b64.  key has at most 27 characters. */
void record_bytes(struct json_out *o, const char *key, const char *p,
    size_t n);

/*
 * record_node: the members of one node, added to an object that is open.
 *
 * path (n bytes) and link may be NULL.  What does not apply is left out.  A
 * name or path that is no UTF-8 comes a second time in base64, as name_b64
 * or path_b64.
 */
void record_node(struct json_out *o, const struct node *n, const char *path,
    size_t pathlen, const char *link);

/*
 * record_change: a node that was made or changed, told: its path with -v or
 * -n, or with -j JSON, which has the member result too unless that is NULL.
 */
void record_change(const struct node *n, const char *path, const char *result);

/*
 * record_sent: the end of a send_item, told: a failure, or a record of its
 * path (or link, if one was made; or JSON).  Fits send_options.
 */
void record_sent(void *ctx, struct send_item *i, int result);

#endif
