/* feat/capture/capture.h - what a frontend keeps of requests and answers for its log: header fields, one cookie, samples (manual 4.2,
 * capture, declare capture; 4.4, capture).
 *
 * A frontend has slots on two sides, in the order of its file; a slot holds at most `len` bytes. A stream gets memory when the first of
 * them is filled.
 * Ownership: the configuration's arena; what is kept lives as long as the stream.  Threads: the stream's. */
#ifndef FEAT_CAPTURE_CAPTURE_H
#define FEAT_CAPTURE_CAPTURE_H

#include "conf/conf.h"
#include "core/expr.h"

#include <stdatomic.h>

enum { CAPTURE_REQ, CAPTURE_RES, CAPTURE_SIDES };
enum { CAPTURE_COOKIE_MAX = 8192 };

struct capture_slot {
        const struct capture_slot *prev;
        const char *name, *lower; /* of the field; NULL: rules fill it */
        uint32_t len;
        bool of_rule; /* a rule with `len` made it */
};

struct capture_use { /* a rule with `id`, to be checked when all slots are known */
        const struct capture_use *prev;
        unsigned side;
        int64_t id;
        const char *kw;
        struct span at;
};

struct capture_cfg { /* slot "capture": frontend, listen; of defaults the slots that its rules make */
        const struct capture_slot *last[CAPTURE_SIDES];
        uint32_t n[CAPTURE_SIDES];
        const struct capture_slot **slot[CAPTURE_SIDES]; /* by number; after the load */
        bool fields[CAPTURE_SIDES];                      /* some slot has a name */
        const struct capture_use *uses;
        const char *cookie;
        int cookie_len, cookie_max; /* as written; after the load: with tune.http.cookielen */
};
extern int capture_slot;

void capture_add(struct conf *c, struct capture_cfg *cfg, unsigned side, const struct capture_slot *what);
/* Of the stream's frontend; NULL: none. */
const struct capture_cfg *capture_cfg_of(const struct strm *s);

struct capture_text {
        char *p; /* NULL: nothing was captured */
        uint32_t n, cap;
};
struct captured { /* of a stream */
        bool has_version;
        uint8_t minor; /* of the answer's HTTP/1.minor */
        struct capture_text cookie[CAPTURE_SIDES];
        struct capture_text *v[CAPTURE_SIDES]; /* as many as the frontend has slots */
};
struct captured *captured_of(struct strm *s);              /* made when first needed; NULL: no memory */
const struct captured *captured_get(const struct strm *s); /* NULL: nothing yet */
/* Fills slot `id` of a side, cut to its length; no such slot: nothing happens. */
void capture_put(struct strm *s, unsigned side, int64_t id, struct str text);

/* Some program asks for the version of answers: set while one is compiled, never cleared. */
extern atomic_bool capture_version_asked;

/* "name=value" of the first cookie in a Cookie field (set: in a Set-Cookie field) that begins with `prefix`, at most n bytes; 0: none. */
size_t capture_cookie(struct str field, bool set, struct str prefix, char *dst, size_t n);

#endif
