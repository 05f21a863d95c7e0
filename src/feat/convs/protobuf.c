/* feat/convs/protobuf.c - fields of protocol buffers messages (protobuf.dev/programming-guides/encoding), plain or in a gRPC frame.
 *
 * Without a type the field's raw bytes are the sample; with one, the number that it holds. Groups end the search. */
#include "conf/conf.h"
#include "feat/convs/conv.h"

enum wire { WIRE_VARINT, WIRE_64, WIRE_BYTES, WIRE_32 = 5 };
enum { PATH_MAX_FIELDS = 32, GRPC_HEADER = 5 };

struct path {
        unsigned n;
        uint64_t field[PATH_MAX_FIELDS];
};

static const struct pb_type {
        const char *name;
        enum wire wire;
        enum { AS_IS, ZIGZAG, SIGNED32, REAL } form;
} types[] = {
        { "int32", WIRE_VARINT, AS_IS },   { "int64", WIRE_VARINT, AS_IS },   { "uint32", WIRE_VARINT, AS_IS },
        { "uint64", WIRE_VARINT, AS_IS },  { "sint32", WIRE_VARINT, ZIGZAG }, { "sint64", WIRE_VARINT, ZIGZAG },
        { "bool", WIRE_VARINT, AS_IS },    { "enum", WIRE_VARINT, AS_IS },    { "fixed64", WIRE_64, AS_IS },
        { "sfixed64", WIRE_64, AS_IS },    { "double", WIRE_64, REAL },       { "fixed32", WIRE_32, AS_IS },
        { "sfixed32", WIRE_32, SIGNED32 }, { "float", WIRE_32, REAL },
};

static bool parse_path(struct str t, struct path *p)
{
        for (size_t i = 0, start = 0; i <= t.n; i++) {
                if (i < t.n && t.p[i] != '.')
                        continue;
                if (p->n == PATH_MAX_FIELDS || !str_to_u64(str_sub(t, start, i - start), &p->field[p->n++]))
                        return false;
                start = i + 1;
        }
        return true;
}

CHECK(check_field)
{
        struct path *p = conf_alloc(c->conf, sizeof(*p));
        struct str type = arg_text(args, n_args, 1);

        if (!parse_path(arg_text(args, n_args, 0), p))
                return conv_refuse(c, at, "failed to parse '%s' as type 'Protocol buffers field number'", args[0].s);
        args[0].ptr = p;
        for (size_t i = 0; i < array_len(types) && n_args > 1; i++) {
                if (str_is(type, types[i].name))
                        args[1].ptr = (void *)(uintptr_t)&types[i];
        }
        return n_args < 2 || args[1].ptr ||
               conv_refuse(c, at, "Wrong protocol buffer type '%.*s'.", (int)type.n, type.p);
}

static bool take_varint(struct str *s, uint64_t *ret_v)
{
        uint64_t v = 0;

        for (unsigned shift = 0; s->n && shift < 70; shift += 7) {
                unsigned char b = (unsigned char)s->p[0];

                *s = str_sub(*s, 1, s->n - 1);
                v |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
                if (!(b & 0x80)) {
                        *ret_v = v;
                        return true;
                }
        }
        return false;
}

static bool take_bytes(struct str *s, uint64_t n, struct str *ret_b)
{
        if (n > s->n)
                return false;
        *ret_b = str_sub(*s, 0, n);
        *s = str_sub(*s, n, s->n - n);
        return true;
}

/* The next field: its number, how it is written, and its bytes without their length. */
static bool take_field(struct str *s, uint64_t *ret_no, enum wire *ret_wire, struct str *ret_value)
{
        uint64_t key, v;
        const char *start;

        if (!take_varint(s, &key))
                return false;
        *ret_no = key >> 3;
        *ret_wire = (enum wire)(key & 7);
        start = s->p;
        switch (*ret_wire) {
        case WIRE_VARINT:
                if (!take_varint(s, &v))
                        return false;
                *ret_value = (struct str){ start, (size_t)(s->p - start) };
                return true;
        case WIRE_64: return take_bytes(s, 8, ret_value);
        case WIRE_32: return take_bytes(s, 4, ret_value);
        case WIRE_BYTES: return take_varint(s, &v) && take_bytes(s, v, ret_value);
        default: return false;
        }
}

static bool find(struct str s, const struct path *p, enum wire *ret_wire, struct str *ret_value)
{
        for (unsigned depth = 0; depth < p->n; depth++) {
                uint64_t no;

                do {
                        if (!take_field(&s, &no, ret_wire, ret_value))
                                return false;
                } while (no != p->field[depth]);
                if (depth + 1 < p->n && *ret_wire != WIRE_BYTES)
                        return false;
                s = *ret_value;
        }
        return true;
}

static int64_t number_of(const struct pb_type *t, struct str value)
{
        uint64_t v = 0;
        uint32_t v32;
        double d;
        float f;

        if (t->wire == WIRE_VARINT) {
                (void)take_varint(&value, &v);
                return (int64_t)(t->form == ZIGZAG ? v >> 1 ^ (0 - (v & 1)) : v);
        }
        for (size_t i = value.n; i > 0; i--)
                v = v << 8 | (unsigned char)value.p[i - 1];
        if (t->form == SIGNED32)
                return (int32_t)(uint32_t)v;
        if (t->form != REAL)
                return (int64_t)v;
        memcpy(&d, &v, sizeof(d));
        if (t->wire == WIRE_32) {
                v32 = (uint32_t)v;
                memcpy(&f, &v32, sizeof(f));
                d = (double)f;
        }
        return d >= 9223372036854775807.0   ? INT64_MAX
               : d > -9223372036854775808.0 ? (int64_t)d
                                            : INT64_MIN; /* NaN: MIN */
}

static bool extract(struct str in, const struct expr_arg *args, unsigned n_args, struct smp *smp)
{
        const struct pb_type *type = n_args > 1 ? args[1].ptr : NULL;
        struct str value = in;
        enum wire wire = WIRE_BYTES;

        if (!find(in, args[0].ptr, &wire, &value))
                return false;
        if (!type)
                return conv_narrow(smp, (size_t)(value.p - smp->s.p), value.n);
        if (wire != type->wire)
                return false;
        smp_int(smp, number_of(type, value));
        return true;
}

CONV(protobuf)
{
        (void)x;
        return extract(smp_text(smp), args, n_args, smp);
}

/* A frame: is it compressed (1 byte), length (4 bytes, high one first), message. */
CONV(ungrpc)
{
        struct str in = smp_text(smp);
        size_t n;

        (void)x;
        if (in.n < GRPC_HEADER)
                return false;
        n = (size_t)(unsigned char)in.p[1] << 24 | (size_t)(unsigned char)in.p[2] << 16 |
            (size_t)(unsigned char)in.p[3] << 8 | (unsigned char)in.p[4];
        return n <= in.n - GRPC_HEADER && extract(str_sub(in, GRPC_HEADER, n), args, n_args, smp);
}

#define FIELD                                                                                                          \
        .args = { ARG_STR, ARG_STR }, .min_args = 1, .in = SMP_BIN, .out = SMP_ANY, .check = check_field,              \
        .manual = "7.3.1"

static const struct conv rows[] = {
        { .name = "protobuf",
          FIELD,
          .fn = protobuf,
          .help = "a field (1.2.3) of a protocol buffers message, raw or as a number of a type" },
        { .name = "ungrpc",
          FIELD,
          .fn = ungrpc,
          .help = "a field (1.2.3) of the message in a gRPC frame, raw or as a number of a type" },
};
CONV_TABLE(protobuf, rows);
