/* OpenSSL's own client against our end over a socket pair. Nothing waits by the clock: turns are made until it is there.
 * The certificate is made here, so no key lies in the tree. */
#include "net/conn.h"
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#define NAME "here.example"

static struct thr *thr;
static struct loop loop;
static char pem[8192], cert_pem[8192];
static struct tls_ctx *server_ctx;

struct end { /* ours */
        struct conn c;
        struct ep *ep;
        unsigned wakes;
};

static void on_wake(struct ep *e)
{
        ((struct end *)e->owner)->wakes++;
}

/* ---- a certificate ---- */

static size_t drain_bio(BIO *b, char *to, size_t size)
{
        int n = BIO_read(b, to, (int)size - 1);

        assert_true(n > 0);
        to[n] = 0;
        BIO_free(b);
        return (size_t)n;
}

static void make_pem(void)
{
        EVP_PKEY *key = EVP_EC_gen("P-256");
        X509 *x = X509_new();
        X509_NAME *name = X509_get_subject_name(x);
        BIO *all = BIO_new(BIO_s_mem()), *cert = BIO_new(BIO_s_mem());

        ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
        X509_set_version(x, 2);
        X509_gmtime_adj(X509_getm_notBefore(x), -60);
        X509_gmtime_adj(X509_getm_notAfter(x), 86400);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)NAME, -1, -1, 0);
        X509_set_issuer_name(x, name);
        X509_set_pubkey(x, key);
        assert_true(X509_sign(x, key, EVP_sha256()) > 0);
        PEM_write_bio_PrivateKey(all, key, NULL, NULL, 0, NULL, NULL); /* key first: order means nothing */
        PEM_write_bio_X509(all, x);
        PEM_write_bio_X509(cert, x);
        drain_bio(all, pem, sizeof(pem));
        drain_bio(cert, cert_pem, sizeof(cert_pem));
        X509_free(x);
        EVP_PKEY_free(key);
}

static int setup(void **st)
{
        static const char *const alpn[] = { "h2", "http/1.1", NULL };
        struct tls_spec spec = { .alpn = alpn };
        const char *why = NULL;

        (void)st;
        thr = thr_new(0, &sys_kernel, 256 * 1024);
        thr_self = thr;
        assert_int_equal(loop_init(&loop, thr), 0);
        thr->loop = &loop;
        make_pem();
        spec.pem = str_of(pem);
        assert_int_equal(tls_ctx_new(&spec, &server_ctx, &why), 0);
        return 0;
}

static int teardown(void **st)
{
        (void)st;
        tls_ctx_put(server_ctx);
        loop_fini(&loop);
        thr_free(thr);
        return 0;
}

/* ---- both ends ---- */

static void raw_pair(int fds[2], int buffer)
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        for (int i = 0; buffer && i < 2; i++)
                assert_int_equal(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)), 0);
}

static void end_open(struct end *x, int fd, struct tls_ctx *ctx, const char *name)
{
        *x = (struct end){ 0 };
        conn_init(&x->c, on_wake);
        x->c.ep.owner = x;
        conn_adopt(&x->c, fd, false);
        assert_int_equal(tls_open(ctx, &x->c.ep, name, &x->ep), 0);
        assert_false(x->ep->flags & EP_RAW);
}

static void end_close(struct end *x)
{
        x->ep->ops->close(x->ep, false);
        loop_turn(&loop, false);
}

struct peer { /* OpenSSL's client; its bytes pass through our hands */
        SSL_CTX *ctx;
        SSL *ssl;
        BIO *in, *out;
        int fd;
};

static void peer_open(struct peer *p, int fd, int version)
{
        p->fd = fd;
        p->ctx = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_max_proto_version(p->ctx, version);
        p->ssl = SSL_new(p->ctx);
        p->in = BIO_new(BIO_s_mem());
        p->out = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(p->in, -1);
        SSL_set_bio(p->ssl, p->in, p->out);
        SSL_set_alpn_protos(p->ssl, (const unsigned char *)"\010http/1.1", 9);
        SSL_set_connect_state(p->ssl);
}

static void peer_close(struct peer *p)
{
        if (p->fd >= 0)
                close(p->fd);
        SSL_free(p->ssl);
        SSL_CTX_free(p->ctx);
}

/* Moves at most `max` bytes of what the client wants to say; returns how many. */
static int peer_push(struct peer *p, int max)
{
        char buf[65536];
        int n = BIO_read(p->out, buf, max < (int)sizeof(buf) ? max : (int)sizeof(buf));

        if (n > 0)
                assert_int_equal(write(p->fd, buf, (size_t)n), n);
        return n > 0 ? n : 0;
}

static void peer_pull(struct peer *p)
{
        char buf[65536];
        ssize_t n = read(p->fd, buf, sizeof(buf));

        if (n > 0)
                assert_int_equal(BIO_write(p->in, buf, (int)n), n);
}

/* One step of the client's handshake, at most `max` bytes to us. Returns bytes moved. */
static int peer_step(struct peer *p, int max)
{
        peer_pull(p);
        (void)SSL_do_handshake(p->ssl);
        ERR_clear_error();
        return peer_push(p, max);
}

/* Reads until `want` bytes are there or it says something else than "later". */
static ssize_t read_some(struct end *x, char *to, size_t want)
{
        ssize_t r;

        for (;;) {
                r = ep_rx(x->ep, to, want);
                if (r != -EAGAIN)
                        return r;
                assert_false(x->ep->flags & EP_RX);
                x->ep->ops->want(x->ep);
                while (!(x->ep->flags & EP_RX))
                        loop_turn(&loop, true);
        }
}

static void shake_hands(struct peer *p, struct end *x, int max)
{
        char byte;

        x->ep->ops->want(x->ep);
        while (!SSL_is_init_finished(p->ssl) || !tls_ready(x->ep)) {
                peer_step(p, max);
                loop_turn(&loop, false);
                if (x->ep->flags & EP_RX)
                        assert_int_equal(ep_rx(x->ep, &byte, 1), -EAGAIN);
        }
}

static void say(struct peer *p, const char *text)
{
        assert_int_equal(SSL_write(p->ssl, text, (int)strlen(text)), strlen(text));
        while (peer_push(p, 65536) > 0)
                ;
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* ---- tests ---- */

static void handshake_in_single_bytes(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(versions); i++) {
                int fds[2];
                struct peer p;
                struct end x;
                char buf[16];
                raw_pair(fds, 0);
                peer_open(&p, fds[0], versions[i]);
                end_open(&x, fds[1], server_ctx, NULL);
                assert_int_equal(tls_alpn(x.ep).n, 0);
                shake_hands(&p, &x, 1);
                assert_true(str_is(tls_alpn(x.ep), "http/1.1"));
                assert_non_null(tls_cipher(x.ep));
                assert_string_equal(tls_version(x.ep), versions[i] == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
                say(&p, "hello");
                assert_int_equal(read_some(&x, buf, sizeof(buf)), 5);
                assert_memory_equal(buf, "hello", 5);
                assert_false(x.ep->flags & EP_RX); /* drained, and known without another system call */
                end_close(&x);
                peer_close(&p);
        }
}

/* The client dies after each number of bytes: an error every time, never a clean end, never a hang. */
static void handshake_cut_everywhere(void **st)
{
        char buf[16];

        (void)st;
        for (size_t i = 0; i < array_len(versions); i++)
                for (int cut = 0, whole = 0; !whole; cut++) {
                        int fds[2], left = cut, idle = 0;
                        struct peer p;
                        struct end x;
                        raw_pair(fds, 0);
                        peer_open(&p, fds[0], versions[i]);
                        end_open(&x, fds[1], server_ctx, NULL);
                        x.ep->ops->want(x.ep);
                        while (left > 0 && idle < 3) {
                                int n = peer_step(&p, left);
                                left -= n;
                                idle = n > 0 ? 0 : idle + 1;
                                loop_turn(&loop, false);
                                if (x.ep->flags & EP_RX)
                                        (void)ep_rx(x.ep, buf, sizeof(buf));
                        }
                        whole = left > 0; /* the client had no more to say */
                        peer_pull(&p);    /* closing with unread bytes would be a reset */
                        close(p.fd);
                        p.fd = -1;
                        assert_int_equal(read_some(&x, buf, sizeof(buf)), -ECONNABORTED);
                        assert_true(x.ep->flags & EP_ERR);
                        assert_int_equal(x.ep->ops->error(x.ep), -ECONNABORTED);
                        assert_int_equal(ep_rx(x.ep, buf, 1), -ECONNABORTED);
                        assert_true(tls_why(x.ep)[0] != 0);
                        end_close(&x);
                        peer_close(&p);
                }
}

struct echo {
        char buf[65536];
        size_t off, len;
        uint64_t all;
};

static void echo_step(struct end *x, struct echo *e)
{
        bool moved = true;

        while (moved) {
                ssize_t n = 0;
                moved = false;
                if (e->len == 0 && (x->ep->flags & EP_RX)) {
                        n = ep_rx(x->ep, e->buf, sizeof(e->buf));
                        assert_true(n > 0 || n == -EAGAIN);
                        e->off = 0;
                        e->len = n > 0 ? (size_t)n : 0;
                }
                if (e->len > 0 && (x->ep->flags & EP_TX)) {
                        struct iovec v[2] = { { e->buf + e->off, e->len / 3 },
                                              { e->buf + e->off + e->len / 3, e->len - e->len / 3 } };
                        n = ep_tx(x->ep, v, 2, false);
                        assert_true(n >= 0 || n == -EAGAIN);
                        e->off += n > 0 ? (size_t)n : 0;
                        e->len -= n > 0 ? (size_t)n : 0;
                        e->all += n > 0 ? (size_t)n : 0;
                        moved = n > 0;
                }
        }
}

static unsigned char pattern(uint64_t at)
{
        return (unsigned char)(at * 131 + (at >> 8) * 7 + (at >> 16));
}

static void echo_10_mib(void **st)
{
        enum { TOTAL = 10 << 20 };
        static struct echo e;
        static unsigned char chunk[40000];
        uint64_t sent = 0, back = 0;
        int fds[2], r;
        struct peer p;
        struct end x;

        (void)st;
        raw_pair(fds, 20000); /* smaller than two records: every other write is partial */
        peer_open(&p, fds[0], TLS1_3_VERSION);
        SSL_set_mode(p.ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        end_open(&x, fds[1], server_ctx, NULL);
        shake_hands(&p, &x, 65536);
        SSL_set_fd(p.ssl, p.fd); /* frees the memory BIOs: from here on it uses the socket itself */
        while (back < TOTAL) {
                size_t n = TOTAL - sent < 9999 ? (size_t)(TOTAL - sent) : 9999;
                for (size_t i = 0; i < n; i++)
                        chunk[i] = pattern(sent + i);
                r = n ? SSL_write(p.ssl, chunk, (int)n) : 0;
                sent += r > 0 ? (unsigned)r : 0;
                r = SSL_read(p.ssl, chunk, sizeof(chunk));
                for (int i = 0; i < r; i++)
                        assert_int_equal(chunk[i], pattern(back + (unsigned)i));
                back += r > 0 ? (unsigned)r : 0;
                ERR_clear_error();
                echo_step(&x, &e);
                loop_turn(&loop, false);
        }
        assert_int_equal(e.all, TOTAL);
        end_close(&x);
        peer_close(&p);
}

static void end_and_truncation_differ(void **st)
{
        (void)st;
        for (size_t i = 0; i < array_len(versions); i++)
                for (int clean = 0; clean < 2; clean++) {
                        int fds[2];
                        struct peer p;
                        struct end x;
                        char buf[16];
                        raw_pair(fds, 0);
                        peer_open(&p, fds[0], versions[i]);
                        end_open(&x, fds[1], server_ctx, NULL);
                        shake_hands(&p, &x, 65536);
                        say(&p, "last");
                        if (clean)
                                (void)SSL_shutdown(p.ssl);
                        (void)peer_push(&p, 65536);
                        peer_pull(&p); /* the tickets: closing with unread bytes would be a reset */
                        close(p.fd);
                        p.fd = -1;
                        assert_int_equal(read_some(&x, buf, sizeof(buf)), 4);
                        assert_int_equal(read_some(&x, buf, sizeof(buf)), clean ? 0 : -ECONNABORTED);
                        assert_int_equal(!!(x.ep->flags & EP_EOF), clean);
                        assert_int_equal(!!(x.ep->flags & EP_ERR), !clean);
                        end_close(&x);
                        peer_close(&p);
                }
}

static void our_end_is_clean(void **st)
{
        struct iovec v = { "bye", 3 };
        int fds[2];
        struct peer p;
        struct end x;
        char buf[16];

        (void)st;
        raw_pair(fds, 0);
        peer_open(&p, fds[0], TLS1_3_VERSION);
        end_open(&x, fds[1], server_ctx, NULL);
        shake_hands(&p, &x, 65536);
        assert_int_equal(ep_tx(x.ep, &v, 1, false), 3);
        x.ep->ops->shut(x.ep);
        assert_true(x.ep->flags & EP_SHUT);
        assert_int_equal(ep_tx(x.ep, &v, 1, false), -EPIPE);
        peer_pull(&p);
        assert_int_equal(SSL_read(p.ssl, buf, sizeof(buf)), 3);
        assert_int_equal(SSL_get_error(p.ssl, SSL_read(p.ssl, buf, sizeof(buf))), SSL_ERROR_ZERO_RETURN);
        assert_int_equal(read(p.fd, buf, 1), 0); /* the FIN came, too */
        say(&p, "still here");                   /* half closed: we go on reading */
        assert_int_equal(read_some(&x, buf, sizeof(buf)), 10);
        end_close(&x);
        peer_close(&p);
}

static void garbage_is_refused(void **st)
{
        static const char hello[] = "GET / HTTP/1.0\r\n\r\n";
        int fds[2];
        struct end x;
        char buf[64];

        (void)st;
        raw_pair(fds, 0);
        end_open(&x, fds[1], server_ctx, NULL);
        assert_int_equal(write(fds[0], hello, sizeof(hello) - 1), sizeof(hello) - 1);
        assert_int_equal(read_some(&x, buf, sizeof(buf)), -EPROTO);
        assert_true(tls_why(x.ep)[0] != 0);
        assert_int_equal(ep_tx(x.ep, &(struct iovec){ "x", 1 }, 1, false), -EPROTO);
        end_close(&x);
        close(fds[0]);
}

static void renegotiation_is_refused(void **st)
{
        int fds[2], r = 1;
        struct peer p;
        struct end x;
        char buf[16];

        (void)st;
        raw_pair(fds, 0);
        peer_open(&p, fds[0], TLS1_2_VERSION);
        end_open(&x, fds[1], server_ctx, NULL);
        shake_hands(&p, &x, 65536);
        assert_int_equal(SSL_renegotiate(p.ssl), 1);
        for (int i = 0; i < 8; i++) {
                r = SSL_do_handshake(p.ssl);
                if (r <= 0 && SSL_get_error(p.ssl, r) == SSL_ERROR_SSL)
                        break;
                (void)peer_push(&p, 65536);
                loop_turn(&loop, false);
                (void)ep_rx(x.ep, buf, sizeof(buf));
                peer_pull(&p);
        }
        assert_int_equal(r, -1);
        assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_NO_RENEGOTIATION);
        ERR_clear_error();
        end_close(&x);
        peer_close(&p);
}

/* Our client against our server: SNI, ALPN, the certificate's name. */
static void our_client(void **st)
{
        static const char *const alpn[] = { "h2", NULL };
        struct tls_spec spec = { .client = true, .alpn = alpn, .ca = str_of(cert_pem) };
        struct tls_ctx *ctx = NULL;
        const char *why = NULL;

        (void)st;
        assert_int_equal(tls_ctx_new(&spec, &ctx, &why), 0);
        for (int right = 0; right < 2; right++) {
                int fds[2];
                struct end a, b;
                char buf[16];
                ssize_t r = -EAGAIN;
                raw_pair(fds, 0);
                end_open(&a, fds[0], ctx, right ? NAME : "elsewhere.example");
                end_open(&b, fds[1], server_ctx, NULL);
                a.ep->ops->want(a.ep);
                b.ep->ops->want(b.ep);
                while (r == -EAGAIN) {
                        (void)ep_rx(b.ep, buf, sizeof(buf));
                        r = ep_tx(a.ep, &(struct iovec){ "ping", 4 }, 1, false);
                        loop_turn(&loop, false);
                }
                assert_int_equal(r, right ? 4 : -EPROTO);
                if (right) {
                        assert_int_equal(read_some(&b, buf, sizeof(buf)), 4);
                        assert_string_equal(tls_server_name(b.ep), NAME);
                        assert_true(str_is(tls_alpn(a.ep), "h2") && str_is(tls_alpn(b.ep), "h2"));
                }
                end_close(&a);
                end_close(&b);
        }
        tls_ctx_put(ctx);
}

static void bad_pem_is_refused(void **st)
{
        struct tls_ctx *ctx = NULL;
        const char *why = NULL;
        struct str bad[] = { STR(""), STR("no PEM at all"), str_of(cert_pem) /* no key */ };

        (void)st;
        for (size_t i = 0; i < array_len(bad); i++) {
                struct tls_spec spec = { .pem = bad[i] };
                why = NULL;
                assert_int_equal(tls_ctx_new(&spec, &ctx, &why), -EINVAL);
                assert_non_null(why);
                assert_null(ctx);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(handshake_in_single_bytes),
                cmocka_unit_test(handshake_cut_everywhere),
                cmocka_unit_test(echo_10_mib),
                cmocka_unit_test(end_and_truncation_differ),
                cmocka_unit_test(our_end_is_clean),
                cmocka_unit_test(garbage_is_refused),
                cmocka_unit_test(renegotiation_is_refused),
                cmocka_unit_test(our_client),
                cmocka_unit_test(bad_pem_is_refused),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}
