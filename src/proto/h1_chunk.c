/* proto/h1_chunk.c - chunked bodies (RFC 9112 7.1), the grammar to the byte.
 *
 *   chunk      = 1*HEXDIG [ chunk-ext ] CRLF chunk-data CRLF
 *   chunk-ext  = *( BWS ";" BWS token [ BWS "=" BWS ( token / quoted-string ) ] )
 *
 * Extensions are checked and skipped: bodies are chunked anew on the way out, so none is ever passed on. A quoted
 * string may hold CR or LF in no way, so a size line always ends where everyone thinks it ends.
 *
 * BWS before the line's end ("3 \r\n") stands in no grammar, but old servers pad their sizes so and HAProxy takes it: one number and one
 * end of line have one reading, and what goes out is written anew. */
#include "proto/h1.h"
#include "proto/h1_scan.h"

enum {
        ST_SIZE0, /* first digit */
        ST_SIZE,
        ST_BWS,     /* after BWS: ";" or the line's end */
        ST_EXT0,    /* after ";": BWS or the name's first byte */
        ST_EXT,     /* in the name */
        ST_EXT_BWS, /* after the name: BWS, "=", ";" or the line's end */
        ST_VAL0,    /* after "=": BWS, a quote or a token */
        ST_VAL,     /* in the token */
        ST_QUOTED,  /* in the quoted-string */
        ST_QPAIR,   /* after its backslash */
        ST_VAL_END, /* after the closing quote */
        ST_SIZE_LF,
        ST_DATA,
        ST_DATA_CR,
        ST_DATA_LF,
        ST_LAST, /* after the last chunk's line: CR ends the body, anything else is a trailer */
        ST_LAST_LF,
        ST_END,
        ST_BAD,
};

void h1_chunk_init(struct h1_chunk *c)
{
        *c = (struct h1_chunk){ .state = ST_SIZE0 };
}

static bool digit(struct h1_chunk *c, char ch)
{
        unsigned v = chr_is_digit(ch) ? (unsigned)(ch - '0') : (unsigned)(chr_lower((unsigned char)ch) - 'a' + 10);

        if (!h1_is(ch, CH_HEX) || c->left > INT64_MAX >> 4)
                return false;
        c->left = c->left << 4 | v;
        return true;
}

static bool is_bws(char ch)
{
        return ch == ' ' || ch == '\t';
}

/* What may follow a complete size, name or value. `bws` is the state for white space. */
static int after(char ch, int bws)
{
        if (ch == '\r')
                return ST_SIZE_LF;
        if (ch == ';')
                return ST_EXT0;
        return is_bws(ch) ? bws : ST_BAD;
}

/* The next state of the size line, or ST_BAD.
 * LONG: flat switch, one line per state */
static int line_step(struct h1_chunk *c, char ch)
{
        switch (c->state) {
        case ST_SIZE0: return digit(c, ch) ? ST_SIZE : ST_BAD;
        case ST_SIZE:
                if (h1_is(ch, CH_HEX))
                        return digit(c, ch) ? ST_SIZE : ST_BAD;
                return after(ch, ST_BWS);
        case ST_BWS: return after(ch, ST_BWS);
        case ST_EXT0:
                if (is_bws(ch))
                        return ST_EXT0;
                return h1_is(ch, CH_TOKEN) ? ST_EXT : ST_BAD;
        case ST_EXT:
                if (h1_is(ch, CH_TOKEN))
                        return ST_EXT;
                return ch == '=' ? ST_VAL0 : after(ch, ST_EXT_BWS);
        case ST_EXT_BWS: return ch == '=' ? ST_VAL0 : after(ch, ST_EXT_BWS);
        case ST_VAL0:
                if (is_bws(ch))
                        return ST_VAL0;
                if (ch == '"')
                        return ST_QUOTED;
                return h1_is(ch, CH_TOKEN) ? ST_VAL : ST_BAD;
        case ST_VAL: return h1_is(ch, CH_TOKEN) ? ST_VAL : after(ch, ST_BWS);
        case ST_QUOTED:
                if (ch == '"')
                        return ST_VAL_END;
                if (ch == '\\')
                        return ST_QPAIR;
                return h1_is(ch, CH_QTEXT) ? ST_QUOTED : ST_BAD;
        case ST_QPAIR: return !h1_is(ch, CH_CTL) || ch == '\t' ? ST_QUOTED : ST_BAD;
        case ST_VAL_END: return after(ch, ST_BWS);
        default: /* ST_SIZE_LF */
                if (ch != '\n')
                        return ST_BAD;
                c->line = 0;
                return c->left ? ST_DATA : ST_LAST;
        }
}

/* One byte that is not payload. */
static int step(struct h1_chunk *c, char ch)
{
        switch (c->state) {
        case ST_DATA_CR: return ch == '\r' ? ST_DATA_LF : ST_BAD;
        case ST_DATA_LF: return ch == '\n' ? ST_SIZE0 : ST_BAD;
        case ST_LAST_LF: return ch == '\n' ? ST_END : ST_BAD;
        default: return ++c->line > H1_CHUNK_LINE_MAX ? ST_BAD : line_step(c, ch);
        }
}

static enum h1_chunk_verdict payload(struct h1_chunk *c, const char *p, size_t at, size_t n, size_t *ret_used,
                                     struct str *ret_data)
{
        size_t take = n - at < c->left ? n - at : (size_t)c->left;

        c->left -= take;
        if (c->left == 0)
                c->state = ST_DATA_CR;
        *ret_data = (struct str){ p + at, take };
        *ret_used = at + take;
        return H1_CHUNK_DATA;
}

static enum h1_chunk_verdict stop(enum h1_chunk_verdict v, size_t used, size_t *ret_used)
{
        *ret_used = used;
        return v;
}

enum h1_chunk_verdict h1_chunk_next(struct h1_chunk *c, const char *p, size_t n, size_t *ret_used, struct str *ret_data)
{
        for (size_t i = 0; i < n && c->state < ST_END; i++) {
                if (c->state == ST_DATA)
                        return payload(c, p, i, n, ret_used, ret_data);
                if (c->state == ST_LAST) {
                        if (p[i] != '\r')
                                return stop(H1_CHUNK_TRAILERS, i, ret_used);
                        c->state = ST_LAST_LF;
                        continue;
                }
                c->state = (uint8_t)step(c, p[i]);
                if (c->state == ST_END)
                        return stop(H1_CHUNK_END, i + 1, ret_used);
        }
        if (c->state == ST_BAD)
                return stop(H1_CHUNK_BAD, 0, ret_used);
        return c->state == ST_END ? stop(H1_CHUNK_END, 0, ret_used) : stop(H1_CHUNK_MORE, n, ret_used);
}

unsigned h1_chunk_head(char buf[H1_CHUNK_HEAD_MAX], uint64_t size)
{
        unsigned digits = size ? (67U - (unsigned)__builtin_clzll(size)) / 4 : 1;

        for (unsigned i = 0; i < digits; i++)
                buf[i] = "0123456789abcdef"[size >> (digits - 1 - i) * 4 & 15];
        buf[digits] = '\r';
        buf[digits + 1] = '\n';
        return digits + 2;
}
