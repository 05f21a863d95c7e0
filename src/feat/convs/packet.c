/* feat/convs/packet.c - fields of Ethernet frames, IP packets and TCP headers (IEEE 802.3, 802.1Q, RFC 791, 8200, 9293), such as the
 * SYN that a `bind ... tcp-ss` keeps. What is too short for a field has none. */
#include "feat/convs/conv.h"

static unsigned be16(const char *p)
{
        return (unsigned)(unsigned char)p[0] << 8 | (unsigned char)p[1];
}

static unsigned byte_at(struct str s, size_t i)
{
        return (unsigned char)s.p[i];
}

static bool give_int(struct smp *smp, int64_t v)
{
        smp_int(smp, v);
        return true;
}

/* ---- Ethernet: destination, source, tags of VLANs (4 bytes each), type ---- */

/* How long the header is; 0: cut short. *ret_vlan: the last tag, or -1. */
static size_t eth_header(struct str s, int *ret_vlan)
{
        size_t n = 12;

        *ret_vlan = -1;
        while (s.n >= n + 4 && (be16(s.p + n) == 0x8100 || be16(s.p + n) == 0x88a8)) {
                *ret_vlan = (int)(be16(s.p + n + 2) & 0xfff);
                n += 4;
        }
        return s.n < n + 2 ? 0 : n + 2;
}

CONV(eth_data)
{
        int vlan;
        size_t n = eth_header(smp_text(smp), &vlan);

        UNUSED;
        return n && conv_narrow(smp, n, smp->s.n - n);
}

CONV(eth_dst)
{
        UNUSED;
        return smp->s.n >= 6 && conv_narrow(smp, 0, 6);
}

CONV(eth_hdr)
{
        int vlan;
        size_t n = eth_header(smp_text(smp), &vlan);

        UNUSED;
        return n && conv_narrow(smp, 0, n);
}

CONV(eth_proto)
{
        int vlan;
        size_t n = eth_header(smp_text(smp), &vlan);

        UNUSED;
        return n && give_int(smp, be16(smp->s.p + n - 2));
}

CONV(eth_src)
{
        UNUSED;
        return smp->s.n >= 12 && conv_narrow(smp, 6, 6);
}

CONV(eth_vlan)
{
        int vlan;

        UNUSED;
        return eth_header(smp_text(smp), &vlan) && vlan >= 0 && give_int(smp, vlan);
}

/* ---- IP ---- */

struct ip {
        struct str all, data; /* data: behind options and extensions */
        unsigned ver, proto;
        size_t header;
};

/* Behind the extension headers (RFC 8200 4); a fragment's later parts are not told from the first. */
static bool skip_extensions(struct ip *p)
{
        p->proto = byte_at(p->all, 6);
        for (p->header = 40;;) {
                size_t n;

                switch (p->proto) {
                case 0:
                case 43:
                case 60:
                case 135: n = 8; break;
                case 44: n = 0; break;
                case 51: n = 4; break;
                default: return true;
                }
                if (p->all.n < p->header + 8)
                        return false;
                n = n == 0   ? 8
                    : n == 4 ? (byte_at(p->all, p->header + 1) + 2) * 4
                             : (byte_at(p->all, p->header + 1) + 1) * 8;
                p->proto = byte_at(p->all, p->header);
                p->header += n;
        }
}

static bool ip_parse(const struct smp *s, struct ip *ret_p)
{
        struct ip p = { .all = smp_text(s) };

        p.ver = p.all.n ? byte_at(p.all, 0) >> 4 : 0;
        if (p.ver == 4 && p.all.n >= 20) {
                p.header = (byte_at(p.all, 0) & 15) * 4;
                p.proto = byte_at(p.all, 9);
                if (p.header < 20)
                        return false;
        } else if (p.ver != 6 || p.all.n < 40 || !skip_extensions(&p)) {
                return false;
        }
        if (p.header > p.all.n)
                return false;
        p.data = str_sub(p.all, p.header, p.all.n - p.header);
        *ret_p = p;
        return true;
}

static bool give_addr(const struct ip *p, bool dst, struct smp *smp)
{
        if (p->ver == 4) {
                smp->type = SMP_IPV4;
                memcpy(&smp->ip4, p->all.p + (dst ? 16 : 12), 4);
        } else {
                smp->type = SMP_IPV6;
                memcpy(&smp->ip6, p->all.p + (dst ? 24 : 8), 16);
        }
        return true;
}

static unsigned ip_tos_of(const struct ip *p)
{
        return p->ver == 4 ? byte_at(p->all, 1) : be16(p->all.p) >> 4 & 0xff;
}

static unsigned ip_ttl_of(const struct ip *p)
{
        return byte_at(p->all, p->ver == 4 ? 8 : 7);
}

static unsigned ip_df_of(const struct ip *p)
{
        return p->ver == 6 || (byte_at(p->all, 6) & 0x40);
}

#define IP(fn, result)                                                                                                 \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                struct ip p;                                                                                           \
                                                                                                                       \
                UNUSED;                                                                                                \
                return ip_parse(smp, &p) && (result);                                                                  \
        }

IP(ip_data, conv_narrow(smp, p.header, p.data.n))
IP(ip_df, give_int(smp, ip_df_of(&p)))
IP(ip_dst, give_addr(&p, true, smp))
IP(ip_hdr, conv_narrow(smp, 0, p.header))
IP(ip_proto, give_int(smp, p.proto))
IP(ip_src, give_addr(&p, false, smp))
IP(ip_tos, give_int(smp, ip_tos_of(&p)))
IP(ip_ttl, give_int(smp, ip_ttl_of(&p)))

CONV(ip_ver)
{
        UNUSED;
        return smp->s.n && give_int(smp, (unsigned char)smp->s.p[0] >> 4);
}

/* ---- TCP ---- */

struct tcp {
        struct str all;
        size_t header;                      /* with its options */
        bool cut, mss, wscale, sack, stamp; /* cut: not all options are there */
        unsigned mss_value, wscale_value, n_kinds;
        uint32_t stamp_value, seen; /* bit k: kind 2 + k; bit 7: any above 8 */
        char list[40];
};

static void one_option(struct tcp *t, unsigned kind, struct str value)
{
        if (kind == 2 && value.n >= 2) {
                t->mss = true;
                t->mss_value = be16(value.p);
        } else if (kind == 3 && value.n >= 1) {
                t->wscale = true;
                t->wscale_value = byte_at(value, 0);
        } else if (kind == 4) {
                t->sack = true;
        } else if (kind == 8 && value.n >= 4) {
                t->stamp = true;
                t->stamp_value = (uint32_t)be16(value.p) << 16 | be16(value.p + 2);
        }
        if (kind >= 2)
                t->seen |= kind <= 8 ? 1u << (kind - 2) : 1u << 7;
}

static bool tcp_parse(struct str s, struct tcp *t)
{
        *t = (struct tcp){ .all = s };
        if (s.n < 20)
                return false;
        t->header = (size_t)(byte_at(s, 12) >> 4) * 4;
        t->cut = t->header > s.n;
        if (t->cut)
                t->header = s.n;
        for (size_t i = 20; i < t->header && byte_at(s, i) != 0;) {
                unsigned kind = byte_at(s, i);
                size_t n = kind == 1 ? 1 : i + 1 < t->header ? byte_at(s, i + 1) : 0;

                t->list[t->n_kinds++] = (char)kind;
                if (n == 0 || (kind != 1 && n < 2) || i + n > t->header)
                        break;
                if (kind != 1)
                        one_option(t, kind, str_sub(s, i + 2, n - 2));
                i += n;
        }
        return true;
}

static bool give_kinds(const struct tcp *t, struct smp *smp)
{
        struct out o = out_open();

        out_text(&o, (struct str){ t->list, t->n_kinds });
        return out_give(&o, SMP_BIN, smp);
}

#define TCP(fn, result)                                                                                                \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                struct tcp t;                                                                                          \
                                                                                                                       \
                UNUSED;                                                                                                \
                return tcp_parse(smp_text(smp), &t) && (result);                                                       \
        }

TCP(tcp_dst, give_int(smp, be16(t.all.p + 2)))
TCP(tcp_flags, give_int(smp, byte_at(t.all, 13)))
TCP(tcp_mss, !t.cut && give_int(smp, t.mss_value))
TCP(tcp_sack, !t.cut && give_int(smp, t.sack))
TCP(tcp_tsopt, !t.cut && give_int(smp, t.stamp))
TCP(tcp_tsval, !t.cut && t.stamp && give_int(smp, t.stamp_value))
TCP(tcp_wscale, !t.cut && give_int(smp, t.wscale_value))
TCP(tcp_wsopt, !t.cut && give_int(smp, t.wscale))
TCP(tcp_list, !t.cut && give_kinds(&t, smp))
TCP(tcp_seq, give_int(smp, (int64_t)be16(t.all.p + 4) << 16 | be16(t.all.p + 6)))
TCP(tcp_src, give_int(smp, be16(t.all.p)))
TCP(tcp_win, give_int(smp, be16(t.all.p + 14)))

/* ---- what tells hosts behind one address apart (manual, ip.fp: bytes and bits as there) ---- */

enum { FP_TTL = 1, FP_OPTIONS = 2, FP_SOURCE = 4 };

static unsigned fp_flags(const struct ip *p, const struct tcp *t)
{
        unsigned ttl = ip_ttl_of(p), flags = byte_at(t->all, 13), tcp_header = (byte_at(t->all, 12) >> 4) * 4;
        size_t length = p->ver == 4 ? be16(p->all.p + 2) : 40 + be16(p->all.p + 4); /* a kept SYN is only its headers */

        return (p->ver == 6 ? 128u : 0) | (ip_df_of(p) ? 64u : 0) |
               (ttl <= 32    ? 0u
                : ttl <= 64  ? 16u
                : ttl <= 128 ? 32u
                             : 48u) |
               (p->header > (p->ver == 4 ? 20 : 40) ? 8u : 0) | (length > p->header + tcp_header ? 4u : 0) |
               (flags >> 7 & 1) << 1 | (flags >> 6 & 1);
}

CONV(ip_fp)
{
        int64_t mode = arg_int(args, n_args, 0, 0);
        struct ip p;
        struct tcp t;
        struct out o;

        (void)x;
        if (!ip_parse(smp, &p) || p.proto != 6 || !tcp_parse(p.data, &t) || t.cut)
                return false;
        o = out_open();
        out_char(&o, (char)ip_tos_of(&p));
        out_char(&o, (char)fp_flags(&p, &t));
        out_char(&o, (char)((byte_at(t.all, 12) & 0xf0u) | (t.wscale ? (t.wscale_value + 1) & 15 : 0)));
        out_text(&o, str_sub(t.all, 14, 2));
        out_char(&o, (char)(t.mss_value >> 8));
        out_char(&o, (char)t.mss_value);
        out_char(&o, (char)t.seen);
        if (mode & FP_TTL)
                out_char(&o, (char)ip_ttl_of(&p));
        if (mode & FP_OPTIONS)
                out_text(&o, (struct str){ t.list, t.n_kinds });
        if (mode & FP_SOURCE)
                out_text(&o, p.ver == 4 ? str_sub(p.all, 12, 4) : str_sub(p.all, 8, 16));
        return out_give(&o, SMP_BIN, smp);
}

static const struct conv rows[] = {
        { .name = "eth.data", ROW(BIN, BIN), .fn = eth_data, .help = "what an Ethernet frame carries" },
        { .name = "eth.dst", ROW(BIN, BIN), .fn = eth_dst, .help = "the destination of an Ethernet frame, 6 bytes" },
        { .name = "eth.hdr",
          ROW(BIN, BIN),
          .fn = eth_hdr,
          .help = "the header of an Ethernet frame with its VLAN tags" },
        { .name = "eth.proto",
          ROW(BIN, SINT),
          .fn = eth_proto,
          .help = "the type of an Ethernet frame behind its VLAN tags" },
        { .name = "eth.src", ROW(BIN, BIN), .fn = eth_src, .help = "the source of an Ethernet frame, 6 bytes" },
        { .name = "eth.vlan", ROW(BIN, SINT), .fn = eth_vlan, .help = "the last VLAN of an Ethernet frame" },
        { .name = "ip.data", ROW(BIN, BIN), .fn = ip_data, .help = "what an IP packet carries" },
        { .name = "ip.df", ROW(BIN, SINT), .fn = ip_df, .help = "the \"don't fragment\" bit of an IP packet; IPv6: 1" },
        { .name = "ip.dst", ROW(BIN, ADDR), .fn = ip_dst, .help = "the destination of an IP packet" },
        { .name = "ip.fp",
          .args = { ARG_SINT },
          ROW(BIN, BIN),
          .fn = ip_fp,
          .help = "a fingerprint of the host that sent a TCP packet; +1 its TTL, +2 its options, +4 its address" },
        { .name = "ip.hdr",
          ROW(BIN, BIN),
          .fn = ip_hdr,
          .help = "the header of an IP packet with options or extensions" },
        { .name = "ip.proto", ROW(BIN, SINT), .fn = ip_proto, .help = "the protocol that an IP packet carries" },
        { .name = "ip.src", ROW(BIN, ADDR), .fn = ip_src, .help = "the source of an IP packet" },
        { .name = "ip.tos", ROW(BIN, SINT), .fn = ip_tos, .help = "type of service or traffic class of an IP packet" },
        { .name = "ip.ttl", ROW(BIN, SINT), .fn = ip_ttl, .help = "time to live or hop limit of an IP packet" },
        { .name = "ip.ver", ROW(BIN, SINT), .fn = ip_ver, .help = "the version of an IP packet" },
        { .name = "tcp.dst", ROW(BIN, SINT), .fn = tcp_dst, .help = "the destination port of a TCP header" },
        { .name = "tcp.flags", ROW(BIN, SINT), .fn = tcp_flags, .help = "the flags of a TCP header, FIN to CWR" },
        { .name = "tcp.options.mss",
          ROW(BIN, SINT),
          .fn = tcp_mss,
          .help = "the maximum segment size of a TCP header; none: 0" },
        { .name = "tcp.options.sack",
          ROW(BIN, SINT),
          .fn = tcp_sack,
          .help = "does a TCP header permit selective acknowledgements" },
        { .name = "tcp.options.tsopt", ROW(BIN, SINT), .fn = tcp_tsopt, .help = "has a TCP header a timestamp" },
        { .name = "tcp.options.tsval", ROW(BIN, SINT), .fn = tcp_tsval, .help = "the timestamp of a TCP header" },
        { .name = "tcp.options.wscale",
          ROW(BIN, SINT),
          .fn = tcp_wscale,
          .help = "the window scale of a TCP header; none: 0" },
        { .name = "tcp.options.wsopt", ROW(BIN, SINT), .fn = tcp_wsopt, .help = "has a TCP header a window scale" },
        { .name = "tcp.options_list",
          ROW(BIN, BIN),
          .fn = tcp_list,
          .help = "the kinds of a TCP header's options, a byte each" },
        { .name = "tcp.seq", ROW(BIN, SINT), .fn = tcp_seq, .help = "the sequence number of a TCP header" },
        { .name = "tcp.src", ROW(BIN, SINT), .fn = tcp_src, .help = "the source port of a TCP header" },
        { .name = "tcp.win", ROW(BIN, SINT), .fn = tcp_win, .help = "the window of a TCP header, unscaled" },
};
CONV_TABLE(packet, rows);
