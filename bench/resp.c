/* bench/resp.c - the usual case (the whole response in one piece) copies nothing. */
#include "bench/resp.h"
#include "base/str.h"
#include "bench/pattern.h"

#include <string.h>

void resp_reset(struct resp *r)
{
        r->head_n = r->body_at = 0;
        r->in_body = false;
}

/* Takes the next line without its CRLF off `s`; false when there is none. */
static bool next_line(struct str *s, struct str *ret_line)
{
        const char *nl = s->n ? memchr(s->p, '\n', s->n) : NULL;
        size_t n;

        if (!nl || nl == s->p || nl[-1] != '\r')
                return false;
        n = (size_t)(nl - s->p);
        *ret_line = str_sub(*s, 0, n - 1);
        *s = str_sub(*s, n + 1, s->n - n - 1);
        return true;
}

/* RFC 9112 6.3: the length of the body; a repeated or a foreign framing field is what a proxy must never add. */
static enum resp_answer check_field(struct str line, size_t body_want, bool *seen)
{
        const char *colon = memchr(line.p, ':', line.n);
        struct str name, value;
        uint64_t v;

        if (!colon)
                return RESP_BAD_HEAD;
        name = str_sub(line, 0, (size_t)(colon - line.p));
        if (name.n == 17 && str_ieq(name, STR("transfer-encoding")))
                return RESP_BAD_LENGTH;
        if (name.n != 14 || !str_ieq(name, STR("content-length")))
                return RESP_MORE;
        value = str_trim(str_sub(line, name.n + 1, line.n - name.n - 1));
        if (*seen || !str_to_u64(value, &v) || v != body_want)
                return RESP_BAD_LENGTH;
        *seen = true;
        return RESP_MORE;
}

/* `head` ends with the empty line. RESP_MORE means that it is as it should be. */
static enum resp_answer check_head(struct str head, size_t body_want)
{
        enum resp_answer a = RESP_MORE;
        bool seen = false;
        struct str line;

        if (!next_line(&head, &line) || !str_has_prefix(line, STR("HTTP/1.1 ")) || line.n < 12)
                return RESP_BAD_HEAD;
        if (memcmp(line.p + 9, "200", 3) != 0 || (line.n > 12 && line.p[12] != ' '))
                return RESP_BAD_STATUS;
        while (a == RESP_MORE && next_line(&head, &line) && line.n > 0)
                a = check_field(line, body_want, &seen);
        if (a == RESP_MORE && !seen)
                a = RESP_BAD_LENGTH;
        return a;
}

/* Length of the head with its empty line, or 0 while that has not arrived. */
static size_t head_end(const char *p, size_t n)
{
        const char *e = memmem(p, n, "\r\n\r\n", 4);

        return e ? (size_t)(e - p) + 4 : 0;
}

/* Takes head bytes from p; *ret_used is what belonged to the head. RESP_DONE here means: head complete and good. */
static enum resp_answer feed_head(struct resp *r, struct str in, size_t body_want, size_t *ret_used)
{
        size_t kept = r->head_n, k = in.n < RESP_HEAD_MAX - kept ? in.n : RESP_HEAD_MAX - kept, end;
        struct str all = in;
        enum resp_answer a;

        if (kept) {
                memcpy(r->head + kept, in.p, k);
                all = (struct str){ r->head, kept + k };
        }
        end = head_end(all.p, all.n);
        if (!end && (all.n >= RESP_HEAD_MAX || in.n > k))
                return RESP_BAD_HEAD;
        if (!end) {
                if (!kept)
                        memcpy(r->head, in.p, in.n);
                r->head_n = all.n;
                *ret_used = in.n;
                return RESP_MORE;
        }
        a = check_head(str_sub(all, 0, end), body_want);
        if (a != RESP_MORE)
                return a;
        *ret_used = end - kept;
        return RESP_DONE;
}

enum resp_answer resp_feed(struct resp *r, const char *p, size_t n, size_t body_want)
{
        size_t used = 0;

        if (!r->in_body) {
                enum resp_answer a = feed_head(r, (struct str){ p, n }, body_want, &used);

                if (a != RESP_DONE)
                        return a;
                r->in_body = true;
                p += used;
                n -= used;
        }
        if (n > body_want - r->body_at)
                return RESP_EXTRA;
        if (!pattern_is(r->body_at, p, n))
                return RESP_BAD_BODY;
        r->body_at += n;
        return r->body_at == body_want ? RESP_DONE : RESP_MORE;
}
