/* feat/fetches/payload_tls.c - the hello of a TLS connection that is passed through (manual 7.3.5, req.ssl_*). */
#include "core/content.h"
#include "proto/tls_hello.h"

#define FETCH(fn)                                                                                                      \
        static enum expr_answer fn(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args,             \
                                   struct smp *ret_smp)
#define UNUSED (void)args, (void)n_args

static enum expr_answer hello_of(const struct expr_ctx *x, enum content_of of, struct tls_hello *ret_hello)
{
        struct str in;

        if (!x->strm || x->strm->http)
                return EXPR_MISS;
        (void)content_peek(x->strm, of, SIZE_MAX, &in);
        switch (tls_hello(in, ret_hello)) {
        case TLS_HELLO_OK: return EXPR_OK;
        case TLS_HELLO_MORE: return x->final ? EXPR_MISS : EXPR_WAIT;
        case TLS_HELLO_NOT: break;
        }
        return EXPR_MISS;
}

static enum expr_answer client_hello(const struct expr_ctx *x, struct tls_hello *ret_hello)
{
        enum expr_answer a = hello_of(x, CONTENT_REQUEST, ret_hello);

        return a == EXPR_OK && ret_hello->type != TLS_HELLO_CLIENT ? EXPR_MISS : a;
}

static enum expr_answer show(enum expr_answer a, struct str v, enum smp_type type, struct smp *ret_smp)
{
        if (a != EXPR_OK)
                return a;
        if (!v.p)
                return EXPR_MISS;
        smp_str(ret_smp, v);
        ret_smp->type = type;
        return EXPR_OK;
}

static enum expr_answer type_of(const struct expr_ctx *x, enum content_of of, struct smp *ret_smp)
{
        struct tls_hello h = { .type = 0 };
        enum expr_answer a = hello_of(x, of, &h);

        if (a != EXPR_OK || h.type == 0)
                return a == EXPR_OK ? EXPR_MISS : a;
        smp_int(ret_smp, h.type);
        return EXPR_OK;
}

FETCH(req_hello_type)
{
        UNUSED;
        return type_of(x, CONTENT_REQUEST, ret_smp);
}

FETCH(res_hello_type)
{
        UNUSED;
        return type_of(x, CONTENT_ANSWER, ret_smp);
}

FETCH(version)
{
        struct tls_hello h = { .type = 0 };
        enum expr_answer a = hello_of(x, CONTENT_REQUEST, &h);

        UNUSED;
        if (a != EXPR_OK || h.type > TLS_HELLO_CLIENT)
                return a == EXPR_OK ? EXPR_MISS : a;
        smp_int(ret_smp, (int64_t)(h.version >> 8) << 16 | (h.version & 255));
        return EXPR_OK;
}

#define FIELD(fn, field, as)                                                                                           \
        FETCH(fn)                                                                                                      \
        {                                                                                                              \
                struct tls_hello h = { .type = 0 };                                                                    \
                enum expr_answer a = client_hello(x, &h);                                                              \
                                                                                                                       \
                UNUSED;                                                                                                \
                return show(a, h.field, as, ret_smp);                                                                  \
        }
FIELD(server_name, server_name, SMP_STR)
FIELD(alpn, alpn, SMP_STR)
FIELD(ciphers, ciphers, SMP_BIN)
FIELD(groups, groups, SMP_BIN)
FIELD(sigalgs, sigalgs, SMP_BIN)

FETCH(key_shares)
{
        struct tls_hello h = { .type = 0 };
        enum expr_answer a = client_hello(x, &h);
        size_t room;
        char *to;

        UNUSED;
        if (a != EXPR_OK || !h.key_shares.p)
                return a == EXPR_OK ? EXPR_MISS : a;
        to = expr_scratch(&room);
        return show(a, (struct str){ to, tls_hello_share_groups(&h, to, room) }, SMP_BIN, ret_smp);
}

FETCH(elliptic)
{
        struct tls_hello h = { .type = 0 };
        enum expr_answer a = client_hello(x, &h);

        UNUSED;
        if (a != EXPR_OK || !h.groups.p)
                return a == EXPR_OK ? EXPR_MISS : a;
        smp_bool(ret_smp, true);
        return EXPR_OK;
}

FETCH(ticket)
{
        struct tls_hello h = { .type = 0 };
        enum expr_answer a = client_hello(x, &h);

        UNUSED;
        if (a != EXPR_OK || !h.extensions)
                return a == EXPR_OK ? EXPR_MISS : a;
        smp_int(ret_smp, !h.ticket.p ? 0 : h.ticket.n == 0 ? 1 : 2);
        return EXPR_OK;
}

#define ROW(n, o, f, h)                                                                                                \
        {                                                                                                              \
                .name = (n), .out = (o), .needs = EXPR_REQ_BYTES, .fn = (f), .manual = "7.3.5", .help = (h)            \
        }

static const struct fetch rows[] = {
        ROW("req.ssl_hello_type", SMP_SINT, req_hello_type, "type of a TLS hello that passes through: 1 is a client's"),
        ROW("req_ssl_hello_type", SMP_SINT, req_hello_type, "old name of req.ssl_hello_type"),
        ROW("req.ssl_ver", SMP_SINT, version, "version of a TLS hello that passes through: major * 65536 + minor"),
        ROW("req_ssl_ver", SMP_SINT, version, "old name of req.ssl_ver"),
        ROW("req.ssl_sni", SMP_STR, server_name, "host that a TLS client whose connection passes through asks for"),
        ROW("req_ssl_sni", SMP_STR, server_name, "old name of req.ssl_sni"),
        ROW("req.ssl_alpn", SMP_STR, alpn, "protocol that such a client would like best"),
        ROW("req.ssl_cipherlist", SMP_BIN, ciphers, "its ciphers, two bytes each"),
        ROW("req.ssl_supported_groups", SMP_BIN, groups, "its key exchange groups, two bytes each"),
        ROW("req.ssl_sigalgs", SMP_BIN, sigalgs, "its signature algorithms, two bytes each"),
        ROW("req.ssl_keyshare_groups", SMP_BIN, key_shares, "the groups it sent keys for, two bytes each"),
        ROW("req.ssl_ec_ext", SMP_BOOL, elliptic, "it knows elliptic curves"),
        ROW("req.ssl_st_ext", SMP_SINT, ticket, "its session ticket: 0 none, 1 wants one, 2 has one"),
        { .name = "res.ssl_hello_type",
          .out = SMP_SINT,
          .needs = EXPR_RSP_BYTES,
          .fn = res_hello_type,
          .manual = "7.3.5",
          .help = "type of a TLS hello of the server: 2" },
        { .name = "rep_ssl_hello_type",
          .out = SMP_SINT,
          .needs = EXPR_RSP_BYTES,
          .fn = res_hello_type,
          .manual = "7.3.5",
          .help = "old name of res.ssl_hello_type" },
};
FETCH_TABLE(payload_tls, rows);
