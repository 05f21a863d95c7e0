/* ext/httpc.h - HTTP and HTTPS requests of the control plane (Kubernetes, Patroni, a stats page) on a loop.
 *
 * Why: features see requests and pieces of answers, libcurl stays behind this header, and the simulator cuts HTTP clients
 * off here. No name is resolved here: the worker has no files to do it with, and libcurl's resolver would block or start
 * threads. The caller gives the address; the URL's name then serves for Host, SNI and the certificate's check.
 * libcurl is loaded by the first httpc_new() and not linked: it and its 31 libraries make the start of the program five
 * times as long and every process 6 MB larger, and most never ask anything (ADR 0009).
 * Redirects are answers, proxies and cookies are not used, keys and certificates come as PEM bytes.
 * Ownership: the caller embeds struct httpc_call, and frees it in `done` at the earliest, or after httpc_cancel().
 * Threads: the loop's.  Errors: negative errno. */
#ifndef EXT_HTTPC_H
#define EXT_HTTPC_H

#include "base/str.h"
#include "ev/loop.h"
#include "net/addr.h"

struct httpc;
struct httpc_wire; /* libcurl's part of a call */

struct httpc_req {          /* copied by httpc_start() */
        const char *method; /* NULL: GET */
        const char *url;
        const struct addr *to;     /* NULL: the URL's host is an address; port 0: the URL's port */
        const char *const *fields; /* "Name: value", up to a NULL; or NULL */
        struct str body;
        struct str ca, cert, key; /* PEM; without ca, no https */
        int timeout_ms;           /* for all of it; 0: none (a watch) */
};

struct httpc_call {
        int (*data)(struct httpc_call *c, struct str piece); /* of the body; not 0: the call ends with that err */
        void (*done)(struct httpc_call *c);                  /* once, unless cancelled; nothing is touched after it */
        int status;                                          /* of the answer, 0 = none came */
        int err;       /* 0: the answer came whole. -ETIMEDOUT, -ECONNREFUSED ..., -EPROTO, or what data() said */
        char why[128]; /* of err, in words */
        /* private */
        struct httpc *owner;
        struct httpc_wire *wire;
        int answer; /* of data() */
};

int httpc_new(struct loop *l, struct httpc **ret_h); /* -ENOPKG: no libcurl on this machine */
void httpc_free(struct httpc *h);                    /* no call is active, none of its callbacks runs; NULL is fine */

/* -EINVAL: no http(s) URL, or a name without an address. data and done are set by the caller. */
must_check int httpc_start(struct httpc *h, struct httpc_call *c, const struct httpc_req *r);
void httpc_cancel(
        struct httpc_call *c); /* done is not called. Not from data(): answer -ECANCELED there. Twice is fine */

#endif
