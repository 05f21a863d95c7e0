/* proto/svc.c - see svc.h. */
#include "proto/svc.h"

static struct svc_verdict say(enum svc_answer a, int code, struct str text)
{
        return (struct svc_verdict){ a, code, text };
}

static struct svc_verdict nothing(enum svc_answer a)
{
        return say(a, 0, (struct str){ "", 0 });
}

/* More bytes, or the end of them in the middle of an answer. */
static struct svc_verdict more(bool last)
{
        return nothing(last ? SVC_INVALID : SVC_MORE);
}

static unsigned at(struct str s, size_t i)
{
        return (unsigned char)s.p[i];
}

static struct str from(struct str s, size_t i)
{
        return str_sub(s, i, s.n - i);
}

static struct str until_nul(struct str s, bool *ret_found)
{
        const char *nul = s.n ? memchr(s.p, 0, s.n) : NULL;

        *ret_found = nul != NULL;
        return str_sub(s, 0, nul ? (size_t)(nul - s.p) : s.n);
}

static void put_le(struct buf *out, uint32_t v, unsigned bytes)
{
        for (unsigned i = 0; i < bytes; i++)
                buf_putc(out, (char)(v >> (8 * i) & 0xff));
}

static void put_zeros(struct buf *out, unsigned n)
{
        while (n--)
                buf_putc(out, 0);
}

/* ---- MySQL (dev.mysql.com, client/server protocol: packets, handshake) ---- */

enum { MY_PROTOCOL_41 = 0x200, MY_SECURE = 0x8000, MY_PLUGIN_AUTH = 0x80000 };

static void login_41(enum svc_mysql_form f, struct str user, struct buf *out)
{
        put_le(out, MY_PROTOCOL_41 | MY_SECURE | (f == SVC_MYSQL_POST80 ? MY_PLUGIN_AUTH : 0), 4);
        put_le(out, 0x01008000, 4); /* largest packet we would take */
        buf_putc(out, 33);          /* utf8_general_ci */
        put_zeros(out, 23);
        buf_str(out, user);
        put_zeros(out, 2); /* its end; an empty password */
        if (f == SVC_MYSQL_POST80)
                buf_add(out, "mysql_native_password", sizeof("mysql_native_password"));
}

static void login_320(struct str user, struct buf *out)
{
        put_le(out, MY_SECURE, 2);
        put_le(out, 0x010000, 3);
        buf_str(out, user);
        put_zeros(out, 2);
}

void svc_mysql_login(enum svc_mysql_form f, struct str user, struct buf *out)
{
        AUTO_BUF(b);

        if (f == SVC_MYSQL_PRE41)
                login_320(user, &b);
        else
                login_41(f, user, &b);
        put_le(out, (uint32_t)b.n, 3);
        buf_putc(out, 1); /* our first packet: number 1 */
        buf_str(out, buf_view(&b));
        buf_add(out, "\1\0\0\0\1", 5); /* COM_QUIT: a new exchange, number 0 */
}

/* The first packet's payload; n == 0 and *ret_v tells why not. */
static struct str packet(struct str in, bool last, struct svc_verdict *ret_v)
{
        struct str none = { "", 0 };
        size_t n;

        *ret_v = more(last);
        if (in.n < 4)
                return none;
        n = at(in, 0) | at(in, 1) << 8 | at(in, 2) << 16;
        if (n == 0 || n > SVC_PACKET_MAX)
                *ret_v = nothing(SVC_INVALID);
        else if (in.n - 4 >= n)
                return str_sub(in, 4, n);
        return none;
}

static struct svc_verdict mysql_error(struct str p)
{
        if (p.n < 3)
                return nothing(SVC_INVALID);
        return say(SVC_FAILED, (int)(at(p, 1) | at(p, 2) << 8), from(p, 3));
}

struct svc_verdict svc_mysql_greeting(struct str in, bool last)
{
        struct svc_verdict v;
        struct str p = packet(in, last, &v);
        bool whole;

        if (p.n == 0)
                return v;
        if (at(p, 0) == 0xff)
                return mysql_error(p);
        v = say(SVC_OK, 0, until_nul(from(p, 1), &whole));
        return whole && (at(p, 0) == 10 || at(p, 0) == 9) ? v : nothing(SVC_INVALID);
}

/* OK, or a request to log in another way: it would talk to this user. */
struct svc_verdict svc_mysql_result(struct str in, bool last)
{
        struct svc_verdict v;
        struct str p = packet(in, last, &v);

        if (p.n)
                p = packet(from(in, p.n + 4), last, &v); /* behind the greeting */
        if (p.n == 0)
                return v;
        if (at(p, 0) == 0xff)
                return mysql_error(p);
        return nothing(at(p, 0) == 0 || at(p, 0) == 0xfe ? SVC_OK : SVC_INVALID);
}

/* ---- PostgreSQL (its manual, "Message Formats") ---- */

static void put_be32(struct buf *out, uint32_t v)
{
        for (int shift = 24; shift >= 0; shift -= 8)
                buf_putc(out, (char)(v >> shift & 0xff));
}

void svc_pgsql_startup(struct str user, struct buf *out)
{
        put_be32(out, (uint32_t)(4 + 4 + 5 + user.n + 1 + 1));
        put_be32(out, 0x00030000);
        buf_add(out, "user", 5);
        buf_str(out, user);
        put_zeros(out, 2);
}

static struct svc_verdict pgsql_error(struct str in, bool last)
{
        size_t n = (size_t)at(in, 1) << 24 | at(in, 2) << 16 | at(in, 3) << 8 | at(in, 4);
        struct str text;
        bool whole;

        if (n < 5 || n > SVC_PACKET_MAX)
                return say(SVC_FAILED, 0, STR("PostgreSQL unknown error"));
        if (in.n < n + 1 && !last)
                return nothing(SVC_MORE);
        text = until_nul(from(in, 6 < in.n ? 6 : in.n), &whole); /* field S: the severity */
        return say(SVC_INVALID, 0, text);
}

struct svc_verdict svc_pgsql(struct str in, bool last)
{
        struct svc_verdict unknown = say(SVC_FAILED, 0, STR("PostgreSQL unknown error"));

        if (in.n == 0)
                return more(last);
        if (at(in, 0) != 'R' && at(in, 0) != 'E')
                return unknown;
        if (in.n < (at(in, 0) == 'E' ? 7u : 9u))
                return last ? unknown : nothing(SVC_MORE);
        if (at(in, 0) == 'E')
                return pgsql_error(in, last);
        if (at(in, 1) || at(in, 2) || at(in, 3) || at(in, 4) < 8)
                return unknown; /* no authentication request is that short, or that long */
        return say(SVC_OK, 0, STR("PostgreSQL server is ok"));
}

/* ---- lines ---- */

enum { LINE_MAX_BYTES = 2048 };

/* The first line without its end. False: it is not whole. */
static bool first_line(struct str in, struct str *ret_line, size_t *ret_used)
{
        const char *lf = in.n ? memchr(in.p, '\n', in.n) : NULL;
        size_t n;

        if (!lf)
                return false;
        n = (size_t)(lf - in.p);
        *ret_used = n + 1;
        *ret_line = str_sub(in, 0, n && in.p[n - 1] == '\r' ? n - 1 : n);
        return true;
}

/* ---- Redis (RESP: simple strings and errors) ---- */

struct svc_verdict svc_redis(struct str in, bool last)
{
        struct str line;
        size_t used;

        if (!first_line(in, &line, &used))
                return last || in.n > LINE_MAX_BYTES ? say(SVC_FAILED, 0, in) : nothing(SVC_MORE);
        if (str_is(line, "+PONG"))
                return say(SVC_OK, 0, STR("Redis server is ok"));
        return say(SVC_FAILED, 0, line);
}

/* ---- SMTP (RFC 5321 4.2) ---- */

/* "250", "250 text", "250-text": the code, -1 for anything else. */
static int reply_code(struct str line, bool *ret_goes_on)
{
        if (line.n < 3 || !chr_is_digit(line.p[0]) || !chr_is_digit(line.p[1]) || !chr_is_digit(line.p[2]) ||
            (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-'))
                return -1;
        *ret_goes_on = line.n > 3 && line.p[3] == '-';
        return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

struct svc_verdict svc_smtp(struct str in, bool last)
{
        struct str line, rest = in;
        int code = -1;
        size_t used;
        bool on;

        while (first_line(rest, &line, &used)) {
                int c = reply_code(line, &on);

                if (c < 0 || (code >= 0 && c != code))
                        return say(SVC_INVALID, 0, line);
                code = c;
                if (!on)
                        return say(c / 100 == 2 ? SVC_OK : SVC_FAILED, c,
                                   line.n > 4 ? from(line, 4) : (struct str){ "", 0 });
                rest = from(rest, used);
        }
        if (last || rest.n > LINE_MAX_BYTES || (rest.n >= 3 && reply_code(str_sub(rest, 0, 3), &on) < 0))
                return say(SVC_INVALID, 0, rest);
        return nothing(SVC_MORE);
}

/* ---- LDAP (RFC 4511, BER with definite lengths: 5.1) ---- */

/* LDAPMessage { messageID 1, bindRequest { version 3, name "", simple "" } } */
const struct str svc_ldap_bind = STR("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00");

/* A length at *i. 1: read, 0: more bytes are needed, -1: none that we take. */
static int ber_length(struct str in, size_t *i, size_t *ret_n)
{
        size_t n, bytes;

        if (*i >= in.n)
                return 0;
        n = at(in, (*i)++);
        if (n < 0x80) {
                *ret_n = n;
                return 1;
        }
        bytes = n & 0x7f;
        if (bytes == 0 || bytes > 4)
                return -1;
        if (in.n - *i < bytes)
                return 0;
        for (n = 0; bytes; bytes--)
                n = n << 8 | at(in, (*i)++);
        *ret_n = n;
        return n <= SVC_PACKET_MAX ? 1 : -1;
}

/* Tag, length and content that begin at *i, inside `in`; false: it is not that. */
static bool ber_item(struct str in, size_t *i, unsigned tag, struct str *ret_content)
{
        size_t n;

        if (*i >= in.n || at(in, *i) != tag)
                return false;
        (*i)++;
        if (ber_length(in, i, &n) != 1 || in.n - *i < n)
                return false;
        *ret_content = str_sub(in, *i, n);
        *i += n;
        return true;
}

static struct svc_verdict bind_response(struct str message)
{
        struct svc_verdict bad = say(SVC_INVALID, 0, STR("Not LDAPv3 protocol"));
        struct str id, response, code;
        size_t i = 0, k = 0;

        if (!ber_item(message, &i, 0x02, &id) || id.n != 1 || at(id, 0) != 1)
                return bad;
        if (!ber_item(message, &i, 0x61, &response) || !ber_item(response, &k, 0x0a, &code) || code.n != 1)
                return bad;
        if (at(code, 0) == 0)
                return say(SVC_OK, 0, STR("Success"));
        return say(SVC_FAILED, (int)at(code, 0), STR("See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9"));
}

struct svc_verdict svc_ldap(struct str in, bool last)
{
        struct svc_verdict bad = say(SVC_INVALID, 0, STR("Not LDAPv3 protocol"));
        size_t i = 1, n = 0;
        int r;

        if (in.n && at(in, 0) != 0x30)
                return bad;
        r = ber_length(in, &i, &n);
        if (r < 0)
                return bad;
        if (r == 0 || in.n - i < n)
                return more(last);
        return bind_response(str_sub(in, i, n));
}

/* ---- TLS (RFC 8446 5.1; a hello in a record of version 3.0, as every server reads it) ---- */

#define CIPHERS                                                                                                        \
        "\xc0\x2b\xc0\x2f\xc0\x2c\xc0\x30\xcc\xa9\xcc\xa8\x00\x9c\x00\x9d\xc0\x13\xc0\x14\x00\x2f\x00\x35\x00\x33\x00" \
        "\x39\x00\x0a\x00\x05"

const struct str svc_ssl_hello = STR("\x16\x03\x00\x00\x4b"             /* record: handshake, 75 bytes */
                                     "\x01\x00\x00\x47"                 /* client hello, 71 bytes */
                                     "\x03\x03"                         /* up to TLS 1.2 */
                                     "Telamon asks whether TLS is here" /* random: nothing is ever sent under it */
                                     "\x00"                             /* no session */
                                     "\x00\x20" CIPHERS                 /* 16 of them */
                                     "\x01\x00");                       /* no compression */

struct svc_verdict svc_ssl(struct str in, bool last)
{
        if (in.n && at(in, 0) != 0x16 && at(in, 0) != 0x15) /* handshake or alert: both are its language */
                return nothing(SVC_INVALID);
        if (in.n > 1 && at(in, 1) != 3)
                return nothing(SVC_INVALID);
        return in.n < 5 ? more(last) : nothing(SVC_OK);
}
