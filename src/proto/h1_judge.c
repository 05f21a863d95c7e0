/* proto/h1_judge.c - what a complete head means, decided once: framing, connection, upgrade, expectation.
 *
 * Framing is where two programs on one wire must agree to the byte (RFC 9112 6.3), so every doubt is a refusal or a
 * close, never a guess: see the table of each function. */
#include "proto/h1_judge.h"
#include "proto/h1_scan.h"

#define BIT(id)      ((uint64_t)1 << (id))
#define FRAMING_BITS (BIT(HID_CONTENT_LENGTH) | BIT(HID_TRANSFER_ENCODING))
/* More options than anyone sends; each costs a walk over the fields. */
#define MAX_OPTIONS 32

static void del_id(struct hmsg *m, enum hid id)
{
        for (int i = -1; (i = hmsg_find(m, id, i + 1)) >= 0;)
                m->f[i].flags |= HF_DEL;
}

/* ---- Connection ---- */

/* A name listed in Connection concerns one hop (RFC 9110 7.6.1). Names we know are not for the peer to remove: they
 * are end to end, or the writer's own business anyway. Fields added later are out of reach: this runs before. */
static void mark_hop(struct hmsg *m, struct str option)
{
        char low[24];

        if (option.n < sizeof(low)) {
                for (size_t i = 0; i < option.n; i++)
                        low[i] = (char)chr_lower((unsigned char)option.p[i]);
                if (hmsg_id(low, (uint32_t)option.n) != HID_NONE)
                        return;
        }
        for (int i = 0; i < m->nf; i++)
                if (m->f[i].nlen == option.n && str_ieq(hmsg_name(m, i), option))
                        m->f[i].flags |= HF_HOP;
}

static void take_option(struct hmsg *m, struct str option, bool *upgrade)
{
        if (h1_word(option, STR("close")))
                m->flags |= HMSG_CLOSE;
        else if (h1_word(option, STR("keep-alive")))
                m->flags |= HMSG_KEEP_ALIVE;
        else if (h1_word(option, STR("upgrade")))
                *upgrade = true;
        else if (h1_word(option, STR("te")))
                m->flags |= HMSG_CONN_TE;
        else if (option.n)
                mark_hop(m, option);
}

static void take_upgrade(struct hmsg *m)
{
        enum hupgrade kind = HUPGRADE_NONE;
        struct str tok;

        for (int i = -1; (i = hmsg_find(m, HID_UPGRADE, i + 1)) >= 0;) {
                for (size_t pos = 0; h1_list_next(hmsg_value(m, i), &pos, &tok);) {
                        if (tok.n >= 3 && str_ieq(str_sub(tok, 0, 3), STR("h2c")))
                                m->flags |= HMSG_H2C;
                        else if (h1_word(tok, STR("websocket")))
                                kind = HUPGRADE_WEBSOCKET;
                        else if (tok.n && kind == HUPGRADE_NONE)
                                kind = HUPGRADE_OTHER;
                }
        }
        m->upgrade = (uint8_t)(m->flags & HMSG_H2C ? HUPGRADE_NONE : kind);
}

static enum h1_verdict judge_options(struct h1 *h, struct hmsg *m)
{
        bool upgrade = false;
        unsigned count = 0;
        struct str opt;

        for (int i = -1; (i = hmsg_find(m, HID_CONNECTION, i + 1)) >= 0;) {
                struct str list = hmsg_value(m, i);

                if (h1_word(list, STR("keep-alive"))) { /* nearly always */
                        m->flags |= HMSG_KEEP_ALIVE;
                        continue;
                }
                for (size_t pos = 0; h1_list_next(list, &pos, &opt);) {
                        if (++count > MAX_OPTIONS)
                                return h1_bad(h, H1_WHY_CONNECTION, m->f[i].val);
                        take_option(m, opt, &upgrade);
                }
        }
        if (upgrade && m->minor) /* RFC 9110 7.8: not from HTTP/1.0 */
                take_upgrade(m);
        return H1_OK;
}

static inline enum h1_verdict judge_connection(struct h1 *h, struct hmsg *m)
{
        if (hmsg_may_have(m, HID_CONNECTION) && judge_options(h, m) != H1_OK)
                return H1_BAD;
        if (m->minor == 0 && !(m->flags & HMSG_KEEP_ALIVE))
                m->flags |= HMSG_CLOSE;
        return H1_OK;
}

static void take_te(struct hmsg *m)
{
        struct str tok;

        for (int i = -1; (i = hmsg_find(m, HID_TE, i + 1)) >= 0;)
                for (size_t pos = 0; h1_list_next(hmsg_value(m, i), &pos, &tok);)
                        if (h1_word(tok, STR("trailers")))
                                m->flags |= HMSG_TE_TRAILERS;
}

static void take_expect(struct hmsg *m)
{
        for (int i = -1; (i = hmsg_find(m, HID_EXPECT, i + 1)) >= 0;)
                m->flags |= h1_word(hmsg_value(m, i), STR("100-continue")) ? HMSG_EXPECT_100 : HMSG_EXPECT_OTHER;
}

/* RFC 6455 4.1: 16 bytes in base64, always 22 characters and "==". */
static bool websocket_key_ok(const struct hmsg *m)
{
        int i = hmsg_find(m, HID_SEC_WEBSOCKET_KEY, 0);
        struct str v = i < 0 ? STR("") : hmsg_value(m, i);

        if (v.n != 24 || v.p[22] != '=' || v.p[23] != '=')
                return false;
        for (size_t k = 0; k < 22; k++) {
                unsigned char c = chr_lower((unsigned char)v.p[k]);
                if (!(c >= 'a' && c <= 'z') && !chr_is_digit((char)c) && c != '+' && c != '/')
                        return false;
        }
        return true;
}

/* ---- framing ---- */

static bool parse_length(struct str s, uint64_t *ret_v)
{
        uint64_t v = 0;

        if (s.n == 0 || s.n > 18) {
                if (!str_to_u64(s, &v) || v > INT64_MAX)
                        return false;
        } else {
                for (size_t i = 0; i < s.n; i++) { /* cannot overflow */
                        unsigned d = (unsigned char)s.p[i] - '0';
                        if (d > 9)
                                return false;
                        v = v * 10 + d;
                }
        }
        *ret_v = v;
        return true;
}

/* Digits only, no sign, no empty element; a list or several fields only if all are equal (RFC 9110 8.6), and then one
 * value in one field stays. *ret_has tells whether there is one; it is in m->length. */
static enum h1_verdict take_length(struct h1 *h, struct hmsg *m, bool *ret_has)
{
        uint64_t v = 0, first = 0;
        bool has = false;
        struct str item;

        for (int i = -1; (i = hmsg_find(m, HID_CONTENT_LENGTH, i + 1)) >= 0;) {
                struct hfield *f = &m->f[i];
                struct str list = hmsg_value(m, i);

                for (size_t pos = 0; h1_list_next(list, &pos, &item);) {
                        if (!parse_length(item, &v))
                                return h1_bad(h, H1_WHY_LENGTH, f->val);
                        if (has && v != first)
                                return h1_bad(h, H1_WHY_LENGTH_DIFFERS, f->val);
                        if (has && item.p == list.p)
                                f->flags |= HF_DEL;
                        if (item.p == list.p && item.n != list.n) {
                                f->vlen = (uint32_t)item.n;
                                f->flags &= (uint8_t)~HF_RAW;
                        }
                        has = true;
                        first = v;
                }
        }
        m->length = first;
        *ret_has = has;
        return H1_OK;
}

/* Only "chunked", once (RFC 9112 6.1: it must be last; any coding before it we would have to understand). The answers
 * are HAProxy's: 400 when chunked is missing, not last or repeated, 422 when an unknown coding comes before it. */
static enum h1_verdict take_coding(struct h1 *h, struct hmsg *m, bool *ret_has)
{
        bool chunked = false, other = false;
        uint32_t at = 0;
        struct str item;

        for (int i = -1; (i = hmsg_find(m, HID_TRANSFER_ENCODING, i + 1)) >= 0;) {
                at = m->f[i].val;
                for (size_t pos = 0; h1_list_next(hmsg_value(m, i), &pos, &item);) {
                        if (chunked || item.n == 0)
                                return h1_bad(h, H1_WHY_CODING, at);
                        chunked = h1_word(item, STR("chunked"));
                        other |= !chunked;
                        *ret_has = true;
                }
        }
        if (*ret_has && !chunked)
                return h1_bad(h, H1_WHY_CODING, at);
        return other ? h1_bad(h, H1_WHY_CODING_UNKNOWN, at) : H1_OK;
}

/* As nearly always: one Content-Length, one number, nothing else. */
static inline bool plain_length(struct hmsg *m)
{
        if ((m->have & FRAMING_BITS) != BIT(HID_CONTENT_LENGTH) || m->many & BIT(HID_CONTENT_LENGTH))
                return false;
        return parse_length(hmsg_value(m, m->first[HID_CONTENT_LENGTH]), &m->length);
}

/* Reads both fields into m->announced and m->length. Both at once: Transfer-Encoding counts, Content-Length goes, and
 * the connection closes after (RFC 9112 6.1), as it does for chunked from HTTP/1.0. */
static enum h1_verdict take_any_framing(struct h1 *h, struct hmsg *m)
{
        bool cl = false, te = false;

        if (take_length(h, m, &cl) != H1_OK || take_coding(h, m, &te) != H1_OK)
                return H1_BAD;
        if (te && (cl || m->minor == 0))
                m->flags |= HMSG_CLOSE;
        if (te) {
                del_id(m, HID_CONTENT_LENGTH);
                m->length = 0;
                m->announced = HBODY_CHUNKED;
        } else if (cl) {
                m->announced = HBODY_LENGTH;
        }
        return H1_OK;
}

static inline enum h1_verdict take_framing(struct h1 *h, struct hmsg *m)
{
        m->announced = HBODY_NONE;
        if (!(m->have & FRAMING_BITS))
                return H1_OK;
        if (likely(plain_length(m))) {
                m->announced = HBODY_LENGTH;
                return H1_OK;
        }
        return take_any_framing(h, m);
}

static bool announces_bytes(const struct hmsg *m)
{
        return m->announced == HBODY_CHUNKED || (m->announced == HBODY_LENGTH && m->length > 0);
}

/* A message that cannot have a body but talks of one: the fields go, and so does the connection if the peer may have
 * sent those bytes. */
static void no_body(struct hmsg *m, enum hbody body)
{
        if (announces_bytes(m))
                m->flags |= HMSG_CLOSE;
        del_id(m, HID_CONTENT_LENGTH);
        del_id(m, HID_TRANSFER_ENCODING);
        m->announced = HBODY_NONE;
        m->length = 0;
        m->body = (uint8_t)body;
}

/* ---- whole messages ---- */

static bool bodyless_in_10(const struct hmsg *m)
{
        return m->minor == 0 && (m->method == HMETH_GET || m->method == HMETH_HEAD || m->method == HMETH_DELETE);
}

static enum h1_verdict judge_request_framing(struct h1 *h, struct hmsg *m)
{
        if (take_framing(h, m) != H1_OK)
                return H1_BAD;
        m->body = m->announced;
        if (bodyless_in_10(m) && announces_bytes(m) && !(h->opts & H1_PAYLOAD_10_OK))
                return h1_bad(h, H1_WHY_PAYLOAD_10, 0);
        if (m->method == HMETH_CONNECT) /* RFC 9110 9.3.6: what follows is the tunnel's, after a 2xx */
                no_body(m, HBODY_NONE);
        return H1_OK;
}

enum h1_verdict h1_judge_request(struct h1 *h, struct hmsg *m)
{
        if (h1_judge_target(h, m) != H1_OK || judge_connection(h, m) != H1_OK || judge_request_framing(h, m) != H1_OK)
                return H1_BAD;
        if (hmsg_may_have(m, HID_TE))
                take_te(m);
        if (m->minor && hmsg_may_have(m, HID_EXPECT))
                take_expect(m);
        if (m->upgrade == HUPGRADE_WEBSOCKET && !websocket_key_ok(m))
                return h1_bad(h, H1_WHY_WS_KEY, 0);
        return H1_OK;
}

/* RFC 9112 6.3, in its order. */
enum h1_verdict h1_judge_response(struct h1 *h, struct hmsg *m)
{
        if (judge_connection(h, m) != H1_OK || take_framing(h, m) != H1_OK)
                return H1_BAD;
        if (m->status == 101 || (h->req_method == HMETH_CONNECT && m->status / 100 == 2))
                no_body(m, HBODY_TUNNEL);
        else if (m->status < 200 || m->status == 204)
                no_body(m, HBODY_NONE);
        else if (h->req_method == HMETH_HEAD || m->status == 304)
                m->body = HBODY_NONE;
        else if (m->announced != HBODY_NONE)
                m->body = m->announced;
        else
                m->body = m->announced = HBODY_CLOSE;
        if (m->body == HBODY_CLOSE)
                m->flags |= HMSG_CLOSE;
        return H1_OK;
}

enum h1_verdict h1_judge_trailers(struct h1 *h, struct hmsg *m)
{
        for (int i = 0; i < m->nf; i++) {
                uint8_t id = m->f[i].id;

                if (id != HID_NONE && (id <= HID_HOST || id == HID_TRAILER || id == HID_EXPECT))
                        return h1_bad(h, H1_WHY_TRAILER_NAME, m->f[i].name);
        }
        return H1_OK;
}
