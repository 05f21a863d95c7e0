/* feat/http_rules/normalize.h - the ways in which `http-request normalize-uri` makes path and query uniform (manual 4.4, RFC 3986 6.2.2).
 *
 * Pure functions on path and query as a request's target has them ("/a/../b?x=1", maybe with a fragment).
 * Ownership: `dst` has room for `room` bytes; the result never is longer than three times the input. */
#ifndef FEAT_HTTP_RULES_NORMALIZE_H
#define FEAT_HTTP_RULES_NORMALIZE_H

#include "base/assert.h"
#include "base/str.h"

struct normalizer {
        const char *name;
        const char *option; /* "strict", "full"; NULL: it has none */
        /* Bytes written; -EINVAL: strict, and it is no valid URI; -ENOSPC: no room. */
        int (*run)(struct str in, bool option, char *dst, size_t room);
        const char *help;
};

const struct normalizer *normalizer_find(struct str name);
const struct normalizer *normalizers(size_t *ret_n);

#endif
