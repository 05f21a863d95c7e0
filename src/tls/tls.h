/* tls/tls.h - TLS as a filter: an ep (net/ep.h) whose bytes travel encrypted over another ep.
 *
 * Why a filter: who reads and writes messages (core/wire.h, HTTP/2, a check) knows one ep and never asks what is below.
 * What differs from a socket: no EP_RAW (nothing to splice), and the end has two forms. rx gives 0 only after the peer's
 * close_notify; a FIN without it is a truncation, -ECONNABORTED (RFC 8446 6.1): whoever frames by the close must not
 * take it for the end. Other failures of the protocol are -EPROTO; tls_why() has the words. Errors of the lower ep pass.
 * The handshake has no call of its own: rx and tx drive it, and answer -EAGAIN until it is done. TLS 1.2 and 1.3 only,
 * no renegotiation, no compression.
 * Retry: unlike OpenSSL's, this tx may be called with other bytes after -EAGAIN: a record that the lower ep did not take
 * is kept here (at most one flight of the handshake, or one record, and a few alerts).
 * Ownership: tls_open() takes the lower ep over (its wake and owner) and makes the upper one; ops->close() closes the
 * lower ep and frees the upper one at the end of the turn. The lower ep's memory stays its owner's, who must keep it as
 * long. A context is counted: connections hold it.
 * Threads: a context anywhere; a connection on its loop's thread.  Memory: mem_get and OpenSSL's heap; about 15 KB per
 * idle connection. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "base/str.h"
#include "net/ep.h"

struct tls_ctx; /* keys and policy, immutable */

#define TLS_ALPN_MAX 64 /* bytes of all names together */

struct tls_spec {
        bool client;
        /* Certificate, chain and private key as PEM, in any order, the leaf first of the certificates. A server needs
         * both; a client may have none. An encrypted key is refused (nobody is there to ask). */
        struct str pem;
        struct str ca;           /* client: PEM of the roots to trust; empty: the peer is not verified */
        const char *const *alpn; /* what is spoken, best first, NULL at the end; NULL: no ALPN */
};

/* 0, or negative errno with the reason in *ret_why (literal or OpenSSL's, lives on): -EINVAL = what `spec` holds. */
must_check int tls_ctx_new(const struct tls_spec *spec, struct tls_ctx **ret_ctx, const char **ret_why);
struct tls_ctx *tls_ctx_get(struct tls_ctx *c);
void tls_ctx_put(struct tls_ctx *c); /* NULL is fine */

/* Both ends: `wake` and `owner` are the upper ep's. server_name: for a client, SNI and, with roots, the name that the
 * certificate must have; NULL = none. -ENOMEM: the lower ep is as it was. */
must_check int tls_open(struct tls_ctx *c, struct ep *lower, const char *server_name, struct ep **ret_ep);

bool tls_ready(const struct ep *e);              /* the handshake is done */
struct str tls_alpn(const struct ep *e);         /* agreed protocol; empty before the handshake or without one */
const char *tls_server_name(const struct ep *e); /* SNI as the client sent it, or NULL */
const char *tls_version(const struct ep *e);     /* "TLSv1.3" */
const char *tls_cipher(const struct ep *e);      /* "TLS_AES_128_GCM_SHA256"; NULL before the handshake */
bool tls_resumed(const struct ep *e);
const char *tls_why(const struct ep *e); /* of the negative errno it died with: literal or OpenSSL's; "" when alive */

#endif
