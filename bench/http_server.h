/* bench/http_server.h - the HTTP backend: one prepared response for every request.
 *
 * The first request of each connection is compared field by field with what the client sends (a proxy may add fields,
 * but must not lose or change one); later ones by their request line. */
#ifndef BENCH_HTTP_SERVER_H
#define BENCH_HTTP_SERVER_H

#include "bench/backend.h"

struct hsrv {
        struct backend backend;
        char *answer;
        size_t answer_n;
};

int hsrv_open(struct hsrv *s, struct job *j);
void hsrv_close(struct hsrv *s);

#endif
