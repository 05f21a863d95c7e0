/* bench/resp.h - checks one HTTP/1.1 response, in pieces as they arrive, against what the bench's backend sent.
 *
 * Pure: bytes in, answer out. Zero a struct resp before each response.
 * Accepted is exactly: status 200, one Content-Length of the wanted value, no Transfer-Encoding, the pattern as body,
 * and nothing behind it (the client never pipelines). */
#ifndef BENCH_RESP_H
#define BENCH_RESP_H

#include <stdbool.h>
#include <stddef.h>

enum resp_answer {
        RESP_MORE = 1,
        RESP_DONE,
        RESP_BAD_HEAD,
        RESP_BAD_STATUS,
        RESP_BAD_LENGTH,
        RESP_BAD_BODY,
        RESP_EXTRA, /* bytes behind the end */
};

enum { RESP_HEAD_MAX = 2048 };

struct resp {
        size_t head_n;  /* bytes of an incomplete head kept in head[] */
        size_t body_at; /* body bytes seen */
        bool in_body;
        char head[RESP_HEAD_MAX];
};

void resp_reset(struct resp *r);
enum resp_answer resp_feed(struct resp *r, const char *p, size_t n, size_t body_want);

#endif
