/* proto/pp.c - see the header. */
#include "proto/pp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[12] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a };

enum { CMD_LOCAL = 0x20, CMD_PROXY = 0x21, FAM_TCP4 = 0x11, FAM_TCP6 = 0x21 };

uint32_t pp_crc32c(uint32_t crc, const void *p, size_t n)
{
        const uint8_t *b = p;

        crc = ~crc;
        while (n--) {
                crc ^= *b++;
                for (int i = 0; i < 8; i++)
                        crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
        }
        return ~crc;
}

static uint16_t be16(const uint8_t *p)
{
        return (uint16_t)(p[0] << 8 | p[1]);
}

/* ---- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n" ---- */

/* The next word of the line, up to one space; false: there is none. */
static bool word(struct str *line, struct str *ret_w)
{
        const char *sp = line->n ? memchr(line->p, ' ', line->n) : NULL;
        size_t n = sp ? (size_t)(sp - line->p) : line->n;

        *ret_w = str_sub(*line, 0, n);
        *line = str_sub(*line, sp ? n + 1 : n, line->n - (sp ? n + 1 : n));
        return n > 0;
}

static bool read_ip(struct str w, enum pp_family f, uint8_t ip[16])
{
        char z[INET6_ADDRSTRLEN];

        if (w.n >= sizeof(z))
                return false;
        memcpy(z, w.p, w.n);
        z[w.n] = '\0';
        return strlen(z) == w.n && inet_pton(f == PP_TCP4 ? AF_INET : AF_INET6, z, ip) == 1;
}

static bool read_port(struct str w, uint16_t *ret_port)
{
        uint64_t v;

        if (!str_to_u64(w, &v) || v > 65535 || (w.n > 1 && w.p[0] == '0'))
                return false;
        *ret_port = (uint16_t)v;
        return true;
}

static bool read_line(struct str line, struct pp_head *h)
{
        const char *end = line.p + line.n;
        struct str w, a, b, c, d;

        if (!word(&line, &w)) /* "PROXY" */
                return false;
        if (!word(&line, &w))
                return false;
        if (str_is(w, "UNKNOWN"))
                return true; /* whatever follows */
        h->family = str_is(w, "TCP4") ? PP_TCP4 : str_is(w, "TCP6") ? PP_TCP6 : PP_UNKNOWN;
        if (h->family == PP_UNKNOWN)
                return false;
        return word(&line, &a) && word(&line, &b) && word(&line, &c) && word(&line, &d) && d.p + d.n == end &&
               read_ip(a, h->family, h->src.ip) && read_ip(b, h->family, h->dst.ip) && read_port(c, &h->src.port) &&
               read_port(d, &h->dst.port);
}

static enum pp_answer read_v1(struct str in, struct pp_head *h, size_t *ret_n)
{
        size_t most = in.n < PP_V1_MAX ? in.n : PP_V1_MAX;
        const char *lf = memchr(in.p, '\n', most);
        size_t n = lf ? (size_t)(lf - in.p) + 1 : 0;

        if (!lf)
                return in.n < PP_V1_MAX ? PP_MORE : PP_BAD;
        if (n < 2 || in.p[n - 2] != '\r' || !read_line(str_sub(in, 0, n - 2), h))
                return PP_BAD;
        h->version = 1;
        *ret_n = n;
        return PP_OK;
}

/* ---- version 2 ---- */

static bool tlv_next(struct str *rest, uint8_t *ret_type, struct str *ret_value)
{
        size_t n;

        if (rest->n < 3)
                return false;
        n = be16((const uint8_t *)rest->p + 1);
        if (n > rest->n - 3)
                return false;
        *ret_type = (uint8_t)rest->p[0];
        *ret_value = str_sub(*rest, 3, n);
        *rest = str_sub(*rest, 3 + n, rest->n - 3 - n);
        return true;
}

bool pp_tlv(const struct pp_head *h, uint8_t type, struct str *ret_value)
{
        struct str rest = h->tlv, value;
        uint8_t t;

        while (tlv_next(&rest, &t, &value))
                if (t == type) {
                        *ret_value = value;
                        return true;
                }
        return false;
}

/* Of the whole head with four zero bytes in the checksum's place. */
static bool sum_is_right(struct str head, struct str sum)
{
        static const uint8_t zero[4];
        size_t at = (size_t)(sum.p - head.p);
        uint32_t crc;

        if (sum.n != 4)
                return false;
        crc = pp_crc32c(0, head.p, at);
        crc = pp_crc32c(crc, zero, sizeof(zero));
        crc = pp_crc32c(crc, sum.p + 4, head.n - at - 4);
        return htonl(crc) == (uint32_t)((uint8_t)sum.p[0]) + ((uint32_t)(uint8_t)sum.p[1] << 8) +
                                     ((uint32_t)(uint8_t)sum.p[2] << 16) + ((uint32_t)(uint8_t)sum.p[3] << 24);
}

static bool tlvs_are_right(struct str head, struct str rest)
{
        struct str value;
        uint8_t type;

        while (rest.n) {
                if (!tlv_next(&rest, &type, &value))
                        return false;
                if (type == PP_TLV_CRC32C && !sum_is_right(head, value))
                        return false;
        }
        return true;
}

static bool read_ends(const uint8_t *p, size_t n, size_t ip, struct pp_head *h)
{
        if (n < 2 * ip + 4)
                return false;
        memcpy(h->src.ip, p, ip);
        memcpy(h->dst.ip, p + ip, ip);
        h->src.port = be16(p + 2 * ip);
        h->dst.port = be16(p + 2 * ip + 2);
        return true;
}

static enum pp_answer read_v2(struct str in, struct pp_head *h, size_t *ret_n)
{
        const uint8_t *p = (const uint8_t *)in.p;
        size_t n, ip = 0, skip;

        if (in.n < PP_V2_MIN)
                return PP_MORE;
        if (p[12] != CMD_LOCAL && p[12] != CMD_PROXY)
                return PP_BAD;
        n = be16(p + 14);
        if (in.n < PP_V2_MIN + n)
                return PP_MORE;
        h->version = 2;
        h->local = p[12] == CMD_LOCAL;
        *ret_n = PP_V2_MIN + n;
        if (h->local)
                return PP_OK; /* the rest is nobody's business */
        if (p[13] == FAM_TCP4 || p[13] == FAM_TCP6) {
                h->family = p[13] == FAM_TCP4 ? PP_TCP4 : PP_TCP6;
                ip = p[13] == FAM_TCP4 ? 4 : 16;
                if (!read_ends(p + PP_V2_MIN, n, ip, h))
                        return PP_BAD;
        }
        skip = ip ? 2 * ip + 4 : n; /* of other families nothing is known that could be used */
        h->tlv = str_sub(in, PP_V2_MIN + skip, n - skip);
        return tlvs_are_right(str_sub(in, 0, *ret_n), h->tlv) ? PP_OK : PP_BAD;
}

enum pp_answer pp_read(struct str in, struct pp_head *ret_h, size_t *ret_n)
{
        size_t n = in.n < sizeof(signature) ? in.n : sizeof(signature), v1 = in.n < 6 ? in.n : 6;

        *ret_h = (struct pp_head){ .family = PP_UNKNOWN };
        if (in.n == 0)
                return PP_MORE;
        if (memcmp(in.p, signature, n) == 0)
                return read_v2(in, ret_h, ret_n);
        if (memcmp(in.p, "PROXY ", v1) == 0)
                return read_v1(in, ret_h, ret_n);
        return PP_BAD;
}

/* ---- writing ---- */

static size_t write_v1(const struct pp_head *h, char *to, size_t room)
{
        char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
        int af = h->family == PP_TCP4 ? AF_INET : AF_INET6, n;

        if (h->family == PP_UNKNOWN || h->local)
                n = snprintf(to, room, "PROXY UNKNOWN\r\n");
        else
                n = snprintf(to, room, "PROXY %s %s %s %u %u\r\n", h->family == PP_TCP4 ? "TCP4" : "TCP6",
                             inet_ntop(af, h->src.ip, src, sizeof(src)), inet_ntop(af, h->dst.ip, dst, sizeof(dst)),
                             h->src.port, h->dst.port);
        return n > 0 && (size_t)n < room ? (size_t)n : 0;
}

struct out {
        uint8_t *p;
        size_t n, room;
        bool full;
};

static void put(struct out *o, const void *p, size_t n)
{
        if (n > o->room - o->n) {
                o->full = true;
                return;
        }
        if (n)
                memcpy(o->p + o->n, p, n);
        o->n += n;
}

static void put16(struct out *o, size_t v)
{
        const uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

        put(o, b, 2);
}

static void put_tlv(struct out *o, uint8_t type, const void *p, size_t n)
{
        if (n > UINT16_MAX) {
                o->full = true;
                return;
        }
        put(o, &type, 1);
        put16(o, n);
        put(o, p, n);
}

static size_t write_v2(const struct pp_head *h, const struct pp_tlv_out *tlv, size_t n_tlv, bool crc, char *to,
                       size_t room)
{
        struct out o = { .p = (uint8_t *)to, .room = room < PP_MAX ? room : PP_MAX };
        size_t ip = h->local || h->family == PP_UNKNOWN ? 0 : h->family == PP_TCP4 ? 4 : 16;
        const uint8_t how[2] = { h->local ? CMD_LOCAL : CMD_PROXY, ip == 4 ? FAM_TCP4 : ip == 16 ? FAM_TCP6 : 0 };
        static const uint8_t zero[4];
        uint32_t sum;

        put(&o, signature, sizeof(signature));
        put(&o, how, 2);
        put16(&o, 0); /* the length: below */
        put(&o, h->src.ip, ip);
        put(&o, h->dst.ip, ip);
        if (ip) {
                put16(&o, h->src.port);
                put16(&o, h->dst.port);
        }
        for (size_t i = 0; i < n_tlv; i++)
                put_tlv(&o, tlv[i].type, tlv[i].value.p, tlv[i].value.n);
        if (crc)
                put_tlv(&o, PP_TLV_CRC32C, zero, sizeof(zero));
        if (o.full)
                return 0;
        o.p[14] = (uint8_t)((o.n - PP_V2_MIN) >> 8);
        o.p[15] = (uint8_t)(o.n - PP_V2_MIN);
        sum = crc ? htonl(pp_crc32c(0, to, o.n)) : 0;
        if (crc)
                memcpy(o.p + o.n - 4, &sum, 4);
        return o.n;
}

size_t pp_write(const struct pp_head *h, const struct pp_tlv_out *tlv, size_t n_tlv, bool crc, char *to, size_t room)
{
        return h->version == 1 ? write_v1(h, to, room) : write_v2(h, tlv, n_tlv, crc, to, room);
}
