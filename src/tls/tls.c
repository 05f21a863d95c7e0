/* tls/tls.c - a TLS connection as an ep.
 *
 * Readiness is decided in the BIO: it reads the lower ep only while that says EP_RX, so "a short read drained the
 * socket" (net/conn.c) reaches OpenSSL as "try later" without a system call, and the upper EP_RX is cleared exactly when
 * OpenSSL wanted bytes and there were none.
 * The BIO takes all it is given: what the lower ep refuses is kept in `out`. So OpenSSL never waits for the socket to be
 * writable (no WANT_WRITE out of a read) and its rule "repeat a blocked write with the same bytes" does not leak into
 * the ep seam. tx stops as soon as something is kept, which bounds it. */
#include "base/slab.h"
#include "base/thr.h"
#include "ev/loop.h"
#include "tls/tls_priv.h"

#include <errno.h>
#include <openssl/err.h>

#define RECORD_MAX 16384u       /* plain bytes of one record (RFC 8446 5.1) */
#define OUT_MAX    (64u * 1024) /* kept bytes; only a peer that floods us with questions gets there */

struct tls {
        struct ep ep;
        struct ep *lower;
        SSL *ssl;
        struct tls_ctx *ctx;
        char *out; /* records that the lower ep did not take: mem_get memory or NULL */
        uint32_t out_off, out_len, out_cap;
        int err;          /* what killed it, negative errno */
        const char *why;  /* the same in words */
        bool more;        /* another record follows in this call */
        bool tx_waits_rx; /* a write met the handshake: bytes from the peer make it possible */
        bool lower_eof;   /* the lower ep's end was seen */
        struct grave grave;
};

struct tls_thr {     /* per thread */
        size_t size; /* of this block, for mem_put */
        struct slab slab;
        char gather[RECORD_MAX]; /* small pieces of one record */
};

static unsigned tls_local = ~0u;

static void tls_thr_free(void *p)
{
        struct tls_thr *t = p;

        slab_fini(&t->slab);
        mem_put(t, t->size);
}

__attribute__((constructor)) static void tls_boot(void)
{
        tls_local = thr_local_index(tls_thr_free);
}

static struct tls_thr *mine(void)
{
        struct tls_thr *t = thr_self->local[tls_local];

        if (unlikely(!t)) {
                size_t size;
                t = mem_get(sizeof(*t), &size);
                ASSERT(t != NULL); /* once per thread */
                t->size = size;
                slab_init(&t->slab, "tls", sizeof(struct tls), 0);
                thr_self->local[tls_local] = t;
        }
        return t;
}

static inline struct tls *tls_of(const struct ep *e)
{
        return container_of(e, struct tls, ep);
}

static void set(struct tls *t, unsigned flags)
{
        t->ep.flags = (uint16_t)(t->ep.flags | flags);
}

static void clear(struct tls *t, unsigned flags)
{
        t->ep.flags = (uint16_t)(t->ep.flags & ~flags);
}

/* Dead both ways. Bytes that were decrypted already were handed out before; the next rx tells the error. */
static void die(struct tls *t, int err, const char *why)
{
        if (t->err == 0) {
                t->err = err;
                t->why = why;
        }
        clear(t, EP_TX);
        set(t, EP_ERR | EP_RX);
}

static int lower_error(const struct tls *t)
{
        int err = t->lower->ops->error(t->lower);

        return err ? err : -ECONNRESET;
}

/* ---- what the lower ep did not take ---- */

static bool out_keep(struct tls *t, const char *p, size_t n)
{
        size_t size;
        char *bigger;

        if (t->out_len + n > OUT_MAX)
                return false;
        if (t->out_off + t->out_len + n > t->out_cap) {
                bigger = mem_get(t->out_len + n, &size);
                if (!bigger)
                        return false;
                if (t->out) {
                        memcpy(bigger, t->out + t->out_off, t->out_len);
                        mem_put(t->out, t->out_cap);
                }
                t->out = bigger;
                t->out_off = 0;
                t->out_cap = (uint32_t)size;
        }
        memcpy(t->out + t->out_off + t->out_len, p, n);
        t->out_len += (uint32_t)n;
        return true;
}

static void out_free(struct tls *t)
{
        if (t->out)
                mem_put(t->out, t->out_cap);
        t->out = NULL;
        t->out_off = t->out_len = t->out_cap = 0;
}

/* 0: nothing is kept any more; -EAGAIN; negative errno. */
static int flush(struct tls *t)
{
        while (t->out_len > 0) {
                struct iovec v = { t->out + t->out_off, t->out_len };
                ssize_t n = ep_tx(t->lower, &v, 1, false);
                if (n == -EAGAIN)
                        return -EAGAIN;
                if (n < 0) {
                        die(t, (int)n, "connection lost");
                        return (int)n;
                }
                t->out_off += (uint32_t)n;
                t->out_len -= (uint32_t)n;
        }
        out_free(t);
        if (t->ep.flags & EP_SHUT)
                t->lower->ops->shut(t->lower);
        return 0;
}

/* ---- OpenSSL's way to the lower ep ---- */

static int bio_write(BIO *b, const char *p, int n)
{
        struct tls *t = BIO_get_data(b);
        struct iovec v = { (void *)(uintptr_t)p, (size_t)n };
        ssize_t r = 0;

        BIO_clear_retry_flags(b);
        if (t->out_len == 0 && (t->lower->flags & EP_TX)) {
                r = ep_tx(t->lower, &v, 1, t->more);
                if (r < 0 && r != -EAGAIN)
                        return -1;
                r = r < 0 ? 0 : r;
        }
        if ((size_t)r < (size_t)n && !out_keep(t, p + r, (size_t)n - (size_t)r))
                return -1;
        return n;
}

static int bio_read(BIO *b, char *p, int n)
{
        struct tls *t = BIO_get_data(b);
        ssize_t r;

        BIO_clear_retry_flags(b);
        if (t->lower_eof)
                return 0;
        r = t->lower->flags & EP_RX ? ep_rx(t->lower, p, (size_t)n) : -EAGAIN;
        if (r == -EAGAIN)
                BIO_set_retry_read(b);
        t->lower_eof = r == 0;
        return r < 0 ? -1 : (int)r;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
        (void)num;
        (void)ptr;
        if (cmd == BIO_CTRL_EOF)
                return ((struct tls *)BIO_get_data(b))->lower_eof;
        return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_PUSH || cmd == BIO_CTRL_POP;
}

static int bio_create(BIO *b)
{
        BIO_set_init(b, 1);
        return 1;
}

BIO_METHOD *tls_bio_new(void)
{
        BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ep");

        if (!m)
                return NULL;
        BIO_meth_set_write(m, bio_write);
        BIO_meth_set_read(m, bio_read);
        BIO_meth_set_ctrl(m, bio_ctrl);
        BIO_meth_set_create(m, bio_create);
        return m;
}

/* ---- reading and writing ---- */

/* What a call that returned <= 0 meant: -EAGAIN, 0 (close_notify) or the error, which is final. */
static int judge(struct tls *t, int ret)
{
        switch (SSL_get_error(t->ssl, ret)) {
        case SSL_ERROR_WANT_READ: return -EAGAIN;
        case SSL_ERROR_ZERO_RETURN: return 0;
        case SSL_ERROR_SYSCALL: die(t, lower_error(t), "connection lost"); break;
        default:
                if (ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
                        die(t, -ECONNABORTED,
                            tls_ready(&t->ep) ? "closed without close_notify" : "closed in the handshake");
                else
                        die(t, -EPROTO, tls_error_text());
                break;
        }
        ERR_clear_error();
        return t->err;
}

/* Bytes that came before the end or an error are given first; the next call meets it again. */
static ssize_t tls_rx(struct ep *e, void *p, size_t n)
{
        struct tls *t = tls_of(e);
        size_t got = 0, k = 0;
        int r = 1;

        if (t->err) {
                clear(t, EP_RX);
                return t->err;
        }
        ERR_clear_error(); /* the queue is the thread's: what others left there would be taken for ours */
        while (got < n && (r = SSL_read_ex(t->ssl, (char *)p + got, n - got, &k)) > 0)
                got += k;
        if (r <= 0)
                r = judge(t, r);
        if (t->tx_waits_rx && tls_ready(e) && t->out_len == 0 && !(e->flags & (EP_ERR | EP_SHUT))) {
                t->tx_waits_rx = false;
                set(t, EP_TX);
        }
        if (r == -EAGAIN || (r <= 0 && got == 0))
                clear(t, EP_RX);
        if (got > 0)
                return (ssize_t)got;
        if (r == 0 && n > 0)
                set(t, EP_EOF);
        return r;
}

/* The next record's plain bytes: a large piece as it stands, small ones gathered. `skip`: bytes of v[0] that are gone. */
static struct iovec next_piece(const struct iovec *v, int n, size_t skip)
{
        char *to = mine()->gather;
        size_t len = 0;

        if (n == 1 || v[0].iov_len - skip >= RECORD_MAX)
                return (struct iovec){ (char *)v[0].iov_base + skip, v[0].iov_len - skip };
        for (int i = 0; i < n && len < RECORD_MAX; i++) {
                size_t k = v[i].iov_len - skip;
                k = k < RECORD_MAX - len ? k : RECORD_MAX - len;
                memcpy(to + len, (char *)v[i].iov_base + skip, k);
                len += k;
                skip = 0;
        }
        return (struct iovec){ to, len };
}

static ssize_t tx_failed(struct tls *t, int ret)
{
        int r = judge(t, ret);

        if (r != -EAGAIN)
                return t->err ? t->err : -EPIPE;
        t->tx_waits_rx = true;
        clear(t, EP_TX);
        return -EAGAIN;
}

static ssize_t tls_tx(struct ep *e, const struct iovec *v, int n, bool more)
{
        struct tls *t = tls_of(e);
        size_t all = 0, sent = 0, skip = 0, k = 0;
        int r;

        if (e->flags & (EP_ERR | EP_SHUT))
                return e->flags & EP_SHUT ? -EPIPE : t->err ? t->err : lower_error(t);
        r = flush(t);
        if (r < 0) {
                if (r == -EAGAIN)
                        clear(t, EP_TX);
                return r;
        }
        for (int i = 0; i < n; i++)
                all += v[i].iov_len;
        ERR_clear_error();
        while (sent < all && t->out_len == 0) {
                struct iovec piece = next_piece(v, n, skip);
                t->more = more || sent + piece.iov_len < all || piece.iov_len > RECORD_MAX;
                r = SSL_write_ex(t->ssl, piece.iov_base, piece.iov_len, &k);
                if (r <= 0) {
                        ssize_t err = tx_failed(t, r);
                        return sent > 0 ? (ssize_t)sent : err;
                }
                sent += k;
                for (skip += k; n > 0 && skip >= v[0].iov_len; n--)
                        skip -= (v++)->iov_len;
        }
        if (t->out_len > 0)
                clear(t, EP_TX);
        return (ssize_t)sent;
}

/* ---- readiness ---- */

static void lower_wake(struct ep *lower)
{
        struct tls *t = lower->owner;
        unsigned before = t->ep.flags, f = lower->flags;

        if ((f & EP_TX) && t->out_len > 0)
                (void)flush(t); /* a failure is in the flags */
        if ((f & EP_TX) && t->out_len == 0 && !t->tx_waits_rx && !(t->ep.flags & (EP_SHUT | EP_ERR)))
                set(t, EP_TX);
        if (f & EP_RX)
                set(t, t->tx_waits_rx && !(t->ep.flags & (EP_SHUT | EP_ERR)) ? EP_RX | EP_TX : EP_RX);
        if (f & EP_ERR)
                clear(t, EP_TX);
        set(t, f & (EP_HUP | EP_ERR));
        if (t->ep.flags & ~before & (EP_RX | EP_TX | EP_HUP | EP_ERR))
                t->ep.wake(&t->ep);
}

static void tls_want(struct ep *e)
{
        struct tls *t = tls_of(e);

        t->lower->ops->want(t->lower);
        if (t->lower->flags & EP_ERR)
                die(t, lower_error(t), "connection lost");
        else
                set(t, EP_WATCHED);
}

/* ---- the end ---- */

static void say_goodbye(struct tls *t)
{
        if (!(t->ep.flags & EP_ERR) && tls_ready(&t->ep))
                (void)SSL_shutdown(t->ssl); /* close_notify, into the BIO; the peer's answer is not waited for */
        ERR_clear_error();
}

static void tls_shut(struct ep *e)
{
        struct tls *t = tls_of(e);

        if (e->flags & EP_SHUT)
                return;
        t->more = false;
        say_goodbye(t);
        set(t, EP_SHUT);
        clear(t, EP_TX);
        if (t->out_len == 0)
                t->lower->ops->shut(t->lower);
}

static void bury(struct grave *g)
{
        slab_put(&mine()->slab, container_of(g, struct tls, grave));
}

static void tls_close(struct ep *e, bool reset)
{
        struct tls *t = tls_of(e);

        if (!t->ssl)
                return;
        t->more = false;
        if (!reset && !(e->flags & EP_SHUT))
                say_goodbye(t);
        SSL_free(t->ssl);
        t->ssl = NULL;
        e->flags = 0;
        out_free(t);
        t->lower->ops->close(t->lower, reset);
        tls_ctx_put(t->ctx);
        loop_bury(thr_self->loop, &t->grave, bury);
}

static int tls_error(struct ep *e)
{
        struct tls *t = tls_of(e);

        return t->err ? t->err : t->lower->ops->error(t->lower);
}

static ssize_t no_splice(struct ep *e, struct pipe *p, size_t n)
{
        (void)e;
        (void)p;
        (void)n;
        return -EOPNOTSUPP; /* no EP_RAW: nobody asks */
}

static const struct ep_ops tls_ops = {
        .rx = tls_rx,
        .tx = tls_tx,
        .rx_splice = no_splice,
        .tx_splice = no_splice,
        .want = tls_want,
        .shut = tls_shut,
        .close = tls_close,
        .error = tls_error,
};

/* ---- opening ---- */

static SSL *session(struct tls *t, const char *server_name)
{
        SSL *ssl = SSL_new(t->ctx->ssl);
        BIO *b = ssl ? BIO_new(t->ctx->bio) : NULL;

        if (!b)
                goto out;
        BIO_set_data(b, t);
        SSL_set_bio(ssl, b, b); /* owns it from here on */
        if (t->ctx->client)
                SSL_set_connect_state(ssl);
        else
                SSL_set_accept_state(ssl);
        if (t->ctx->client && server_name && SSL_set_tlsext_host_name(ssl, server_name) != 1)
                goto out;
        if (t->ctx->verify && server_name && SSL_set1_host(ssl, server_name) != 1)
                goto out;
        return ssl;
out:
        SSL_free(ssl);
        return NULL;
}

int tls_open(struct tls_ctx *c, struct ep *lower, const char *server_name, struct ep **ret_ep)
{
        struct tls *t = slab_get(&mine()->slab);

        if (!t)
                return -ENOMEM;
        t->ctx = c;
        t->lower = lower;
        t->ssl = session(t, server_name);
        ERR_clear_error();
        if (!t->ssl) {
                slab_put(&mine()->slab, t);
                return -ENOMEM;
        }
        tls_ctx_get(c);
        t->ep = (struct ep){ .ops = &tls_ops, .wake = lower->wake, .owner = lower->owner, .flags = EP_RX | EP_TX };
        set(t, lower->flags & (EP_HUP | EP_ERR | EP_WATCHED));
        lower->wake = lower_wake;
        lower->owner = t;
        *ret_ep = &t->ep;
        return 0;
}

/* ---- questions ---- */

bool tls_ready(const struct ep *e)
{
        return SSL_is_init_finished(tls_of(e)->ssl) == 1;
}

struct str tls_alpn(const struct ep *e)
{
        const unsigned char *p = NULL;
        unsigned n = 0;

        SSL_get0_alpn_selected(tls_of(e)->ssl, &p, &n);
        return (struct str){ (const char *)p, n };
}

const char *tls_server_name(const struct ep *e)
{
        return SSL_get_servername(tls_of(e)->ssl, TLSEXT_NAMETYPE_host_name);
}

const char *tls_version(const struct ep *e)
{
        return SSL_get_version(tls_of(e)->ssl);
}

const char *tls_cipher(const struct ep *e)
{
        return SSL_get_cipher_name(tls_of(e)->ssl);
}

bool tls_resumed(const struct ep *e)
{
        return SSL_session_reused(tls_of(e)->ssl) == 1;
}

const char *tls_why(const struct ep *e)
{
        return tls_of(e)->why ? tls_of(e)->why : "";
}
