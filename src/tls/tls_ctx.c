/* tls/tls_ctx.c - contexts: certificate and key from memory, ALPN, what is allowed. */
#include "base/assert.h"
#include "tls/tls_priv.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

const char *tls_error_text(void)
{
        unsigned long e = ERR_peek_last_error();
        const char *text = e ? ERR_reason_error_string(e) : NULL;

        return text ? text : "TLS error";
}

/* ---- PEM ---- */

/* The default would ask on the terminal. */
static int no_password(char *buf, int size, int rwflag, void *user)
{
        (void)buf;
        (void)size;
        (void)rwflag;
        (void)user;
        return -1;
}

static BIO *reader(struct str pem)
{
        return pem.n > 0 && pem.n <= INT32_MAX ? BIO_new_mem_buf(pem.p, (int)pem.n) : NULL;
}

/* The first certificate is the leaf, the others its chain. Returns how many, or -1. */
static int use_certificates(SSL_CTX *ssl, struct str pem)
{
        BIO *b = reader(pem);
        X509 *x;
        int n = 0;

        while (b && n >= 0 && (x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL) {
                int ok = n == 0 ? SSL_CTX_use_certificate(ssl, x) : SSL_CTX_add1_chain_cert(ssl, x) != 0;
                X509_free(x);
                n = ok == 1 ? n + 1 : -1;
        }
        BIO_free(b);
        return n;
}

static bool use_key(SSL_CTX *ssl, struct str pem)
{
        BIO *b = reader(pem);
        EVP_PKEY *key = b ? PEM_read_bio_PrivateKey(b, NULL, no_password, NULL) : NULL;
        bool ok = key && SSL_CTX_use_PrivateKey(ssl, key) == 1 && SSL_CTX_check_private_key(ssl) == 1;

        EVP_PKEY_free(key);
        BIO_free(b);
        return ok;
}

static bool trust(SSL_CTX *ssl, struct str pem)
{
        BIO *b = reader(pem);
        X509_STORE *store = SSL_CTX_get_cert_store(ssl);
        X509 *x;
        int n = 0;

        while (b && n >= 0 && (x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL) {
                n = X509_STORE_add_cert(store, x) == 1 ? n + 1 : -1;
                X509_free(x);
        }
        BIO_free(b);
        return n > 0;
}

static const char *load(SSL_CTX *ssl, const struct tls_spec *spec)
{
        if (spec->pem.n > 0 || !spec->client) {
                if (use_certificates(ssl, spec->pem) <= 0)
                        return "no usable certificate";
                if (!use_key(ssl, spec->pem))
                        return "no usable private key, or not the certificate's";
        }
        if (spec->ca.n > 0 && !trust(ssl, spec->ca))
                return "no usable CA certificate";
        return NULL;
}

/* ---- ALPN ---- */

static bool alpn_list(struct tls_ctx *c, const char *const *names)
{
        for (; names && *names; names++) {
                size_t n = strlen(*names);
                if (n == 0 || n > 255 || c->alpn_len + n + 1 > TLS_ALPN_MAX)
                        return false;
                c->alpn[c->alpn_len] = (unsigned char)n;
                memcpy(c->alpn + c->alpn_len + 1, *names, n);
                c->alpn_len += (unsigned)n + 1;
        }
        return true;
}

/* Our order decides. Nothing in common: go on without, as HAProxy does, instead of RFC 7301's alert. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
        const struct tls_ctx *c = arg;
        unsigned char *picked;
        unsigned char len;

        (void)ssl;
        if (SSL_select_next_proto(&picked, &len, c->alpn, c->alpn_len, in, in_len) != OPENSSL_NPN_NEGOTIATED)
                return SSL_TLSEXT_ERR_NOACK;
        *out = picked;
        *out_len = len;
        return SSL_TLSEXT_ERR_OK;
}

static bool set_alpn(struct tls_ctx *c)
{
        if (c->alpn_len == 0)
                return true;
        if (c->client)
                return SSL_CTX_set_alpn_protos(c->ssl, c->alpn, c->alpn_len) == 0; /* 0 is success here */
        SSL_CTX_set_alpn_select_cb(c->ssl, choose_alpn, c);
        return true;
}

/* ---- life ---- */

/* read_ahead: one rx of the lower ep for many records; tls.c never asks OpenSSL what is pending, it reads until the BIO
 * is dry. Session cache off: tickets only, so that a context holds no state that would differ between threads. */
static void set_policy(struct tls_ctx *c)
{
        SSL_CTX_set_mode(c->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        SSL_CTX_set_options(c->ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        SSL_CTX_set_min_proto_version(c->ssl, TLS1_2_VERSION);
        SSL_CTX_set_read_ahead(c->ssl, 1);
        SSL_CTX_set_session_cache_mode(c->ssl, SSL_SESS_CACHE_OFF);
        if (c->verify)
                SSL_CTX_set_verify(c->ssl, SSL_VERIFY_PEER, NULL);
}

static void free_ctx(struct tls_ctx *c)
{
        SSL_CTX_free(c->ssl);
        BIO_meth_free(c->bio);
        free(c);
}

/* The words of a failure, or NULL. */
static const char *fill(struct tls_ctx *c, const struct tls_spec *spec)
{
        const char *why;

        c->client = spec->client;
        c->verify = spec->client && spec->ca.n > 0;
        c->bio = tls_bio_new();
        c->ssl = SSL_CTX_new(spec->client ? TLS_client_method() : TLS_server_method());
        if (!c->ssl || !c->bio)
                return "out of memory";
        set_policy(c);
        why = load(c->ssl, spec);
        if (why)
                return why;
        return alpn_list(c, spec->alpn) && set_alpn(c) ? NULL : "bad list of protocols (ALPN)";
}

int tls_ctx_new(const struct tls_spec *spec, struct tls_ctx **ret_ctx, const char **ret_why)
{
        struct tls_ctx *c = calloc(1, sizeof(*c));
        const char *why;

        if (!c) {
                *ret_why = "out of memory";
                return -ENOMEM;
        }
        atomic_init(&c->refs, 1);
        ERR_clear_error();
        why = fill(c, spec);
        ERR_clear_error(); /* the end of a PEM text is an "error", too */
        if (why) {
                bool memory = !c->ssl || !c->bio;
                free_ctx(c);
                *ret_why = why;
                return memory ? -ENOMEM : -EINVAL;
        }
        *ret_ctx = c;
        return 0;
}

struct tls_ctx *tls_ctx_get(struct tls_ctx *c)
{
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
        return c;
}

/* acq_rel: what other holders did with the context comes before the free. */
void tls_ctx_put(struct tls_ctx *c)
{
        if (c && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
                free_ctx(c);
}
