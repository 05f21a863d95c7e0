/* proto/h1_judge.h - what a complete head means: target, Host, framing, connection. Private to the HTTP/1 codec. */
#ifndef PROTO_H1_JUDGE_H
#define PROTO_H1_JUDGE_H

#include "proto/h1.h"

/* Notes the reason and returns H1_BAD. */
enum h1_verdict h1_bad(struct h1 *h, enum h1_why why, uint32_t at);

/* H1_OK, or H1_BAD with the reason in h. m->head_len is set already. */
enum h1_verdict h1_judge_request(struct h1 *h, struct hmsg *m);
enum h1_verdict h1_judge_response(struct h1 *h, struct hmsg *m);
enum h1_verdict h1_judge_trailers(struct h1 *h, struct hmsg *m);

/* The target's form and, in absolute- and authority-form, its authority against Host (h1_target.c). */
enum h1_verdict h1_judge_target(struct h1 *h, struct hmsg *m);

/* Next element of a comma list: trimmed, maybe empty; false at the end. *pos starts at 0. Quotes mean nothing here:
 * in the lists we read (Connection, TE, Upgrade, Content-Length, Transfer-Encoding) a quoted string is no valid
 * element, and cutting it at a comma leaves pieces that match nothing. */
static inline bool h1_list_next(struct str list, size_t *pos, struct str *ret_item)
{
        if (*pos > list.n)
                return false;
        const char *comma = memchr(list.p + *pos, ',', list.n - *pos);
        size_t end = comma ? (size_t)(comma - list.p) : list.n;

        *ret_item = str_trim(str_sub(list, *pos, end - *pos));
        *pos = end + 1;
        return true;
}

/* Equal but for case to a lower-case word of letters, digits and '-'. s must be free of control bytes (a field value
 * is), since setting the case bit turns some of those into such letters. */
static inline bool h1_word(struct str s, struct str word)
{
        unsigned diff = 0;

        if (s.n != word.n)
                return false;
        for (size_t i = 0; i < s.n; i++)
                diff |= (unsigned)(unsigned char)((s.p[i] | 0x20) ^ word.p[i]);
        return diff == 0;
}

#endif
