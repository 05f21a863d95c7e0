/* feat/logs/frame.c - what stands before the text of a message, in the eight forms of the manual (`log`, section 4.2). */
#include "core/logdate.h"
#include "core/put.h"
#include "feat/logs/logs.h"

static char *put_pri(char *p, const char *end, unsigned v)
{
        if (end - p < 6)
                return p;
        *p++ = '<';
        p = put_u64(p, end, v);
        *p++ = '>';
        return p;
}

static char *put_ch(char *p, const char *end, char ch)
{
        if (p < end)
                *p++ = ch;
        return p;
}

/* 2026-11-21T12:05:52.123456+01:00 (RFC 3339) */
static char *put_iso(char *p, const char *end, int64_t us)
{
        const struct logdate *d = logdate(us);
        unsigned frac = (unsigned)(us % 1000000);
        char v[33];

        memcpy(v, d->iso, 19);
        v[19] = '.';
        put_3(v + 20, frac / 1000);
        put_3(v + 23, frac % 1000);
        memcpy(v + 26, d->iso_zone, 6);
        v[32] = ' ';
        return put_bytes(p, end, v, sizeof(v));
}

static char *put_tag(char *p, const char *end, const struct logger *l, const struct log_use *u)
{
        return u && u->tag ? put_bytes(p, end, u->tag, strlen(u->tag)) : put_bytes(p, end, l->tag, l->tag_len);
}

static char *put_tag_pid(char *p, const char *end, const struct logger *l, const struct log_use *u)
{
        p = put_tag(p, end, l, u);
        p = put_ch(p, end, '[');
        p = put_u64(p, end, (uint64_t)world.pid);
        return put_bytes(p, end, "]: ", 3);
}

static char *put_bsd(char *p, const char *end, const struct logger *l, const struct log_use *u, int64_t us, bool host)
{
        p = put_bytes(p, end, logdate(us)->bsd, 15);
        p = put_ch(p, end, ' ');
        if (host) {
                p = l->hostname_len ? put_bytes(p, end, l->hostname, l->hostname_len)
                                    : put_bytes(p, end, "localhost", 9);
                p = put_ch(p, end, ' ');
        }
        return put_tag_pid(p, end, l, u);
}

/* RFC 5424 6: version, date, host, tag, pid, no message id, no structured data or that with which the text begins. */
static char *put_5424(char *p, const char *end, const struct logger *l, const struct log_use *u, int64_t us)
{
        p = put_bytes(p, end, "1 ", 2);
        p = put_iso(p, end, us);
        p = l->hostname_len ? put_bytes(p, end, l->hostname, l->hostname_len) : put_ch(p, end, '-');
        p = put_ch(p, end, ' ');
        p = put_tag(p, end, l, u);
        p = put_ch(p, end, ' ');
        p = put_u64(p, end, (uint64_t)world.pid);
        return put_bytes(p, end, " - - ", u && u->sd ? 3 : 5);
}

size_t frame_header(const struct logger *l, const struct log_target *t, const struct log_use *u, enum log_level level,
                    int64_t wall_us, char *dst, size_t n)
{
        const char *end = dst + n;
        unsigned pri = (unsigned)t->facility * 8 + (unsigned)level;
        char *p = dst;

        switch ((enum log_format)t->format) {
        case LOGF_RAW: break;
        case LOGF_SHORT: p = put_pri(p, end, (unsigned)level); break;
        case LOGF_PRIORITY: p = put_pri(p, end, pri); break;
        case LOGF_TIMED: p = put_iso(put_pri(p, end, (unsigned)level), end, wall_us); break;
        case LOGF_ISO: p = put_iso(p, end, wall_us); break;
        case LOGF_RFC5424: p = put_5424(put_pri(p, end, pri), end, l, u, wall_us); break;
        case LOGF_RFC3164: p = put_bsd(put_pri(p, end, pri), end, l, u, wall_us, true); break;
        case LOGF_UNSET:
        case LOGF_LOCAL:
                p = put_bsd(put_pri(p, end, pri), end, l, u, wall_us, l->hostname_len && t->format == LOGF_UNSET);
                break;
        }
        return (size_t)(p - dst);
}
