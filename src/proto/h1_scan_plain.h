/* proto/h1_scan_plain.h - the scans of h1_scan.h byte by byte, for machines without SSE2. */
#ifndef PROTO_H1_SCAN_PLAIN_H
#define PROTO_H1_SCAN_PLAIN_H

#include "proto/h1_scan.h"
#include "proto/hmsg_known.h"

static inline uint32_t h1_find_ctl(const char *b, uint32_t i, uint32_t end)
{
        while (i < end && !h1_is(b[i], CH_CTL))
                i++;
        return i;
}

static inline uint32_t h1_find_not_target(const char *b, uint32_t i, uint32_t end)
{
        return h1_skip_class(b, i, end, CH_TARGET);
}

/* First byte that is none of a token.  */
static inline uint32_t h1_skip_token(const char *b, uint32_t i, uint32_t end)
{
        return h1_skip_class(b, i, end, CH_TOKEN);
}

static inline size_t h1_skip_host(const char *b, size_t i, size_t end)
{
        while (i < end && h1_is(b[i], CH_HOST))
                i++;
        return i;
}

/* First byte that is no token byte; makes the token bytes before it lower case. */
static inline uint32_t h1_lower_name(char *b, uint32_t i, uint32_t end)
{
        for (; i < end && h1_is(b[i], CH_TOKEN); i++)
                b[i] = (char)(b[i] | (h1_is(b[i], CH_UPPER) ? 0x20 : 0));
        return i;
}

/* Control bytes one after the other. */
struct h1_ctls {
        char *next;
};

static inline struct h1_ctls h1_ctls_from(char *p)
{
        return (struct h1_ctls){ .next = p };
}

static inline char *h1_next_ctl(struct h1_ctls *it, char *end)
{
        char *at = it->next;

        while (at < end && !h1_is(*at, CH_CTL))
                at++;
        it->next = at < end ? at + 1 : end;
        return at;
}

/* Passes over a control byte just behind the one given last. */
static inline void h1_skip_ctl(struct h1_ctls *it)
{
        it->next++;
}

static inline uint32_t h1_count_ctl(const char *b, uint32_t i, uint32_t end)
{
        uint32_t n = 0;

        for (; i < end; i++)
                n += h1_is(b[i], CH_CTL);
        return n;
}

/* A short cut that needs vectors: here every name goes the long way. */
struct h1_keys {
        char none;
};

static inline struct h1_keys h1_keys(void)
{
        return (struct h1_keys){ 0 };
}

static inline int h1_take_name(const struct h1_keys *k, char *p, const char *line_end, char **ret_colon)
{
        (void)k, (void)p, (void)line_end, (void)ret_colon;
        return -1;
}

/* How many of the 16 bytes at p are lower-case letters, digits or '-', up to the first that is not. */
static inline uint32_t h1_plain_name(const char *p)
{
        uint32_t n = 0;

        while (n < 16 && ((p[n] >= 'a' && p[n] <= 'z') || h1_is(p[n], CH_DIGIT) || p[n] == '-'))
                n++;
        return n;
}

/* First byte that is not a lower-case token byte. */
static inline uint32_t h1_find_not_lower_token(const char *b, uint32_t i, uint32_t end)
{
        while (i < end && (h1_class[(unsigned char)b[i]] & (CH_TOKEN | CH_UPPER)) == CH_TOKEN)
                i++;
        return i;
}

#endif
