/* tls/tls_priv.h - what tls_ctx.c (keys and policy) and tls.c (connections) share. */
#ifndef TLS_TLS_PRIV_H
#define TLS_TLS_PRIV_H

#include "tls/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct tls_ctx {
        atomic_uint refs;
        SSL_CTX *ssl;
        BIO_METHOD *bio; /* of tls.c: OpenSSL's way to the lower ep */
        bool client, verify;
        unsigned alpn_len;
        unsigned char alpn[TLS_ALPN_MAX]; /* RFC 7301 3.1: length byte and name, one after the other */
};

BIO_METHOD *tls_bio_new(void);
const char *tls_error_text(void); /* newest of OpenSSL's queue; never NULL */

#endif
