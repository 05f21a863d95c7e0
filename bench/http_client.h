/* bench/http_client.h - one keep-alive client connection that checks every response.
 *
 * Ownership: the caller's array; hcli_close() before it goes. `ready` is called when the connection is up
 * (answered == 0) and after each complete response; it may send the next request at once.
 * A fault is counted in the job and ends the connection for good. */
#ifndef BENCH_HTTP_CLIENT_H
#define BENCH_HTTP_CLIENT_H

#include "base/list.h"
#include "bench/job.h"
#include "bench/resp.h"

struct hcli {
        struct ev ev;
        struct job *job;
        void (*ready)(struct hcli *c);
        struct list idle; /* for the owner's list of free connections */
        uint64_t due_ns;  /* open loop: when the request should have left */
        uint64_t answered;
        /* private */
        enum { HCLI_NONE, HCLI_DIALING, HCLI_FREE, HCLI_WAITING } state;
        size_t sent;
        struct resp resp;
};

void hcli_dial(struct hcli *c, struct job *j, void (*ready)(struct hcli *c));
void hcli_send(struct hcli *c); /* only from ready(), or on a free connection */
void hcli_close(struct hcli *c);

extern const char hcli_request[]; /* what each request consists of: 436 bytes, 9 header fields */
enum { HCLI_REQUEST_LEN = 436 };

#endif
