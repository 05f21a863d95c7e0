/* proto/tls_hello.c - see tls_hello.h. */
#include "proto/tls_hello.h"

#include <string.h>

enum { RECORD_HEAD = 5, RECORD_MAX = 16384 + 2048, HANDSHAKE = 22, RANDOM = 32 };

enum extension {
        EXT_SERVER_NAME = 0,
        EXT_GROUPS = 10,
        EXT_SIGALGS = 13,
        EXT_ALPN = 16,
        EXT_TICKET = 35,
        EXT_KEY_SHARE = 51,
};

/* Reading goes on behind what is missing as if all were nought: `short_of` tells. */
struct reader {
        const unsigned char *p;
        size_t n;
        bool short_of;
};

static struct reader read_of(struct str s)
{
        return (struct reader){ (const unsigned char *)s.p, s.n, false };
}

static struct str take(struct reader *r, size_t n)
{
        struct str s = { (const char *)r->p, n };

        if (r->short_of || n > r->n) {
                r->short_of = true;
                r->n = 0;
                return (struct str){ NULL, 0 };
        }
        r->p += n;
        r->n -= n;
        return s;
}

static size_t number(struct reader *r, size_t bytes)
{
        struct str s = take(r, bytes);
        size_t v = 0;

        for (size_t i = 0; i < s.n; i++)
                v = v << 8 | (unsigned char)s.p[i];
        return v;
}

/* A vector: its length in so many bytes, then its bytes. p NULL: it is not all there. */
static struct str vector(struct reader *r, size_t bytes)
{
        return take(r, number(r, bytes));
}

/* ---- extensions ---- */

/* RFC 6066 3: of the list, the first host name. */
static struct str host_name(struct str ext)
{
        struct reader r = read_of(ext), list = read_of(vector(&r, 2));

        while (list.n > 0) {
                size_t kind = number(&list, 1);
                struct str name = vector(&list, 2);

                if (kind == 0 && name.n > 0)
                        return name;
        }
        return (struct str){ NULL, 0 };
}

static struct str list_in(struct str ext)
{
        struct reader r = read_of(ext);

        return vector(&r, 2);
}

static struct str first_protocol(struct str ext)
{
        struct reader r = read_of(list_in(ext));
        struct str name = vector(&r, 1);

        return name.n > 0 ? name : (struct str){ NULL, 0 };
}

static void extension(struct tls_hello *h, size_t type, struct str body)
{
        switch (type) {
        case EXT_SERVER_NAME: h->server_name = host_name(body); break;
        case EXT_GROUPS: h->groups = list_in(body); break;
        case EXT_SIGALGS: h->sigalgs = list_in(body); break;
        case EXT_ALPN: h->alpn = first_protocol(body); break;
        case EXT_TICKET: h->ticket = body; break;
        case EXT_KEY_SHARE: h->key_shares = list_in(body); break;
        default: break;
        }
}

static void extensions(struct tls_hello *h, struct reader *r)
{
        struct str block = vector(r, 2);
        struct reader e = read_of(block);

        h->extensions = block.p != NULL;
        while (e.n > 0) {
                size_t type = number(&e, 2);
                struct str body = vector(&e, 2);

                if (body.p)
                        extension(h, type, body);
        }
}

size_t tls_hello_share_groups(const struct tls_hello *h, char *to, size_t room)
{
        struct reader r = read_of(h->key_shares);
        size_t n = 0;

        while (r.n > 0 && room - n >= 2) {
                struct str group = take(&r, 2);

                if (!group.p || !vector(&r, 2).p)
                        break;
                memcpy(to + n, group.p, 2);
                n += 2;
        }
        return n;
}

/* ---- the message ---- */

static void client_hello(struct tls_hello *h, struct reader *r)
{
        h->version = (uint16_t)number(r, 2);
        (void)take(r, RANDOM);
        h->session_id = vector(r, 1);
        h->ciphers = vector(r, 2);
        (void)vector(r, 1); /* compression */
        if (!r->short_of && r->n > 0)
                extensions(h, r);
}

/* RFC 5246 E.2: a two-byte length with its highest bit set, type 1, the version, three lengths. */
static enum tls_hello_verdict old_hello(struct str in, struct tls_hello *h)
{
        struct reader r = read_of(in);
        size_t len = number(&r, 2) & 0x7fff, type, sum;
        uint16_t version;

        if (in.n < 11)
                return in.n < 3 || in.p[2] == 1 ? TLS_HELLO_MORE : TLS_HELLO_NOT;
        type = number(&r, 1);
        version = (uint16_t)number(&r, 2);
        sum = 9 + number(&r, 2);
        sum += number(&r, 2);
        sum += number(&r, 2);
        if (type != TLS_HELLO_CLIENT || sum != len)
                return TLS_HELLO_NOT;
        if (in.n < 2 + len)
                return TLS_HELLO_MORE;
        *h = (struct tls_hello){ .version = version };
        return TLS_HELLO_OK;
}

enum tls_hello_verdict tls_hello(struct str in, struct tls_hello *ret_hello)
{
        struct reader r = read_of(in), body;
        struct tls_hello h = { .type = 0 };
        size_t kind = number(&r, 1), major = number(&r, 1), len;

        if (in.n > 0 && (kind & 0x80))
                return old_hello(in, ret_hello);
        (void)number(&r, 1);
        len = number(&r, 2);
        if ((in.n > 0 && kind != HANDSHAKE) || (in.n > 1 && major != 3))
                return TLS_HELLO_NOT;
        if (in.n >= RECORD_HEAD && (len < 4 || len > RECORD_MAX))
                return TLS_HELLO_NOT;
        if (in.n < RECORD_HEAD + len || in.n < RECORD_HEAD)
                return TLS_HELLO_MORE;
        body = read_of(str_sub(in, RECORD_HEAD, len));
        h.type = (uint8_t)number(&body, 1);
        len = number(&body, 3);
        if (len < body.n)
                body.n = len; /* another message follows in the record */
        if (h.type == TLS_HELLO_CLIENT)
                client_hello(&h, &body);
        *ret_hello = h;
        return TLS_HELLO_OK;
}
