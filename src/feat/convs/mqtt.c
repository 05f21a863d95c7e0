/* feat/convs/mqtt.c - MQTT's CONNECT and CONNACK packets (OASIS MQTT 3.1.1 and 5.0; MQTT 3.1): are they valid, and their fields.
 *
 * A packet is parsed whole; its texts stay borrowed. One that is not complete yet is no sample. As lax as HAProxy with the flags of a
 * will and with a password without a user. */
#include "feat/convs/conv.h"

enum { CONNECT = 1, CONNACK = 2 };
enum { FLAG_RESERVED = 1, FLAG_WILL = 4, FLAG_PASSWORD = 64, FLAG_USER = 128 };

enum field {
        FLAGS,
        PROTOCOL_NAME,
        PROTOCOL_VERSION,
        CLIENT_IDENTIFIER,
        WILL_TOPIC,
        WILL_PAYLOAD,
        USERNAME,
        PASSWORD,
        KEEPALIVE,
        REASON_CODE,
        PROPERTY, /* + its number */
        FIELDS = PROPERTY + 43
};
enum { USER_PROPERTY = 38, AUTH_METHOD = 21, AUTH_DATA = 22, RECEIVE_MAX = 33, PACKET_MAX = 39 };

enum form { NONE, SWITCH, NUM16, NUM32, TEXT, PAIR };

/* MQTT 5.0, table 2-4: how a property is written, and where it may stand. */
enum place { IN_CONNECT = 1, IN_WILL = 2, IN_CONNACK = 4 };
static const struct property {
        uint8_t form, places;
} properties[43] = {
        [1] = { SWITCH, IN_WILL },
        [2] = { NUM32, IN_WILL },
        [3] = { TEXT, IN_WILL },
        [8] = { TEXT, IN_WILL },
        [9] = { TEXT, IN_WILL },
        [17] = { NUM32, IN_CONNECT | IN_CONNACK },
        [18] = { TEXT, IN_CONNACK },
        [19] = { NUM16, IN_CONNACK },
        [21] = { TEXT, IN_CONNECT | IN_CONNACK },
        [22] = { TEXT, IN_CONNECT | IN_CONNACK },
        [23] = { SWITCH, IN_CONNECT },
        [24] = { NUM32, IN_WILL },
        [25] = { SWITCH, IN_CONNECT },
        [26] = { TEXT, IN_CONNACK },
        [28] = { TEXT, IN_CONNACK },
        [31] = { TEXT, IN_CONNACK },
        [33] = { NUM16, IN_CONNECT | IN_CONNACK },
        [34] = { NUM16, IN_CONNECT | IN_CONNACK },
        [36] = { SWITCH, IN_CONNACK },
        [37] = { SWITCH, IN_CONNACK },
        [38] = { PAIR, IN_CONNECT | IN_WILL | IN_CONNACK },
        [39] = { NUM32, IN_CONNECT | IN_CONNACK },
        [40] = { SWITCH, IN_CONNACK },
        [41] = { SWITCH, IN_CONNACK },
        [42] = { SWITCH, IN_CONNACK },
};

struct packet {
        int type;
        uint32_t num[FIELDS];
        struct str text[FIELDS];
        uint64_t seen; /* bit: property */
};

/* ---- reading ---- */

static bool take_num(struct str *s, unsigned bytes, uint32_t *ret_v)
{
        uint32_t v = 0;

        if (s->n < bytes)
                return false;
        for (unsigned i = 0; i < bytes; i++)
                v = v << 8 | (unsigned char)s->p[i];
        *s = str_sub(*s, bytes, s->n - bytes);
        *ret_v = v;
        return true;
}

static bool take_part(struct str *s, size_t n, struct str *ret_part)
{
        if (s->n < n)
                return false;
        *ret_part = str_sub(*s, 0, n);
        *s = str_sub(*s, n, s->n - n);
        return true;
}

static bool take_text(struct str *s, struct str *ret_t)
{
        uint32_t n;

        return take_num(s, 2, &n) && take_part(s, n, ret_t);
}

enum { LEN_OK, LEN_MORE, LEN_BAD };

static int take_len(struct str *s, uint32_t *ret_v) /* 7 bits a byte, low ones first, at most 4 bytes */
{
        uint32_t v = 0;

        for (unsigned i = 0; i < 4; i++) {
                unsigned char b;

                if (i >= s->n)
                        return LEN_MORE;
                b = (unsigned char)s->p[i];
                v |= (uint32_t)(b & 0x7f) << (7 * i);
                if (!(b & 0x80)) {
                        *s = str_sub(*s, i + 1, s->n - i - 1);
                        *ret_v = v;
                        return LEN_OK;
                }
        }
        return LEN_BAD;
}

/* ---- properties ---- */

static bool take_property(struct str *s, enum place place, struct packet *p)
{
        struct str key, value;
        uint32_t id;
        bool ok = false;

        if (!take_num(s, 1, &id) || id >= array_len(properties) || !(properties[id].places & place))
                return false;
        if (id != USER_PROPERTY && (p->seen >> id & 1))
                return false;
        p->seen |= UINT64_C(1) << id;
        switch ((enum form)properties[id].form) {
        case SWITCH: ok = take_num(s, 1, &p->num[PROPERTY + id]) && p->num[PROPERTY + id] <= 1; break;
        case NUM16: ok = take_num(s, 2, &p->num[PROPERTY + id]); break;
        case NUM32: ok = take_num(s, 4, &p->num[PROPERTY + id]); break;
        case TEXT: ok = take_text(s, &p->text[PROPERTY + id]); break;
        case PAIR: ok = take_text(s, &key) && take_text(s, &value); break;
        case NONE: break;
        }
        return ok && (p->num[PROPERTY + id] || (id != RECEIVE_MAX && id != PACKET_MAX));
}

static bool take_properties(struct str *s, enum place place, struct packet *p)
{
        struct str part;
        uint32_t n;

        if (take_len(s, &n) != LEN_OK || !take_part(s, n, &part))
                return false;
        while (part.n) {
                if (!take_property(&part, place, p))
                        return false;
        }
        return !(p->seen >> AUTH_DATA & 1) || (p->seen >> AUTH_METHOD & 1);
}

/* ---- packets ---- */

static bool parse_connect(struct str s, struct packet *p)
{
        bool five;

        if (!take_text(&s, &p->text[PROTOCOL_NAME]) || !take_num(&s, 1, &p->num[PROTOCOL_VERSION]) ||
            !take_num(&s, 1, &p->num[FLAGS]) || !take_num(&s, 2, &p->num[KEEPALIVE]))
                return false;
        if (!str_is(p->text[PROTOCOL_NAME], "MQTT") && !str_is(p->text[PROTOCOL_NAME], "MQIsdp"))
                return false;
        if (p->num[PROTOCOL_VERSION] < 3 || p->num[PROTOCOL_VERSION] > 5 || (p->num[FLAGS] & FLAG_RESERVED))
                return false;
        five = p->num[PROTOCOL_VERSION] == 5;
        if ((five && !take_properties(&s, IN_CONNECT, p)) || !take_text(&s, &p->text[CLIENT_IDENTIFIER]))
                return false;
        if ((p->num[FLAGS] & FLAG_WILL) &&
            ((five && !take_properties(&s, IN_WILL, p)) || !take_text(&s, &p->text[WILL_TOPIC]) ||
             !take_text(&s, &p->text[WILL_PAYLOAD])))
                return false;
        if ((p->num[FLAGS] & FLAG_USER) && !take_text(&s, &p->text[USERNAME]))
                return false;
        if ((p->num[FLAGS] & FLAG_PASSWORD) && !take_text(&s, &p->text[PASSWORD]))
                return false;
        return s.n == 0;
}

static bool parse_connack(struct str s, struct packet *p)
{
        p->num[PROTOCOL_VERSION] = s.n > 2 ? 5 : 4; /* it does not say: only 5.0 has more than two bytes */
        return take_num(&s, 1, &p->num[FLAGS]) && p->num[FLAGS] <= 1 && take_num(&s, 1, &p->num[REASON_CODE]) &&
               (s.n == 0 || take_properties(&s, IN_CONNACK, p)) && s.n == 0;
}

enum verdict { VALID, INVALID, MORE };

static enum verdict parse(struct str in, struct packet *p)
{
        struct str body;
        uint32_t head, len;
        int answer;

        memset(p, 0, sizeof(*p));
        if (!take_num(&in, 1, &head))
                return MORE;
        p->type = (int)(head >> 4);
        if ((head & 15) || (p->type != CONNECT && p->type != CONNACK))
                return INVALID;
        answer = take_len(&in, &len);
        if (answer == LEN_BAD)
                return INVALID;
        if (answer == LEN_MORE || !take_part(&in, len, &body))
                return MORE;
        return (p->type == CONNECT ? parse_connect(body, p) : parse_connack(body, p)) ? VALID : INVALID;
}

CONV(mqtt_is_valid)
{
        struct packet p;
        enum verdict v = parse(smp_text(smp), &p);

        UNUSED;
        smp_bool(smp, v == VALID);
        return v != MORE;
}

/* ---- mqtt_field_value(type, field or number of a property) ---- */

static const struct {
        const char *name;
        uint8_t types; /* bits 1 << CONNECT, 1 << CONNACK */
        bool is_text;
} fields[PROPERTY] = {
        [FLAGS] = { "flags", 1 << CONNECT | 1 << CONNACK, false },
        [PROTOCOL_NAME] = { "protocol_name", 1 << CONNECT, true },
        [PROTOCOL_VERSION] = { "protocol_version", 1 << CONNECT | 1 << CONNACK, false },
        [CLIENT_IDENTIFIER] = { "client_identifier", 1 << CONNECT, true },
        [WILL_TOPIC] = { "will_topic", 1 << CONNECT, true },
        [WILL_PAYLOAD] = { "will_payload", 1 << CONNECT, true },
        [USERNAME] = { "username", 1 << CONNECT, true },
        [PASSWORD] = { "password", 1 << CONNECT, true },
        [KEEPALIVE] = { "keepalive", 1 << CONNECT, false },
        [REASON_CODE] = { "reason_code", 1 << CONNACK, false },
};

static int field_of(struct str name, int type)
{
        unsigned places = type == CONNECT ? IN_CONNECT | IN_WILL : IN_CONNACK;
        uint64_t id;

        for (int i = 0; i < PROPERTY; i++) {
                if ((fields[i].types >> type & 1) && str_ieq(name, str_of(fields[i].name)))
                        return i;
        }
        if (str_to_u64(name, &id) && id < array_len(properties) && (properties[id].places & places))
                return PROPERTY + (int)id;
        return -1;
}

CHECK(check_field)
{
        struct str type = arg_text(args, n_args, 0), name = arg_text(args, n_args, 1);
        int t = str_ieq(type, STR("connect")) || str_is(type, "1")   ? CONNECT
                : str_ieq(type, STR("connack")) || str_is(type, "2") ? CONNACK
                                                                     : 0;

        args[0].i = t;
        args[1].i = t ? field_of(name, t) : -1;
        return args[1].i >= 0 || conv_refuse(c, at, "Unknown MQTT field name '%.*s' for packet type '%.*s'.",
                                             (int)name.n, name.p, (int)type.n, type.p);
}

/* A property that is not there: 0 when it is a number and the version has properties. */
CONV(mqtt_field_value)
{
        int field = (int)args[1].i;
        struct packet p;
        bool is_text;

        UNUSED;
        if (parse(smp_text(smp), &p) != VALID || p.type != (int)args[0].i || field == PROPERTY + USER_PROPERTY)
                return false;
        is_text = field < PROPERTY ? fields[field].is_text : properties[field - PROPERTY].form == TEXT;
        if (is_text)
                return p.text[field].n && conv_narrow(smp, (size_t)(p.text[field].p - smp->s.p), p.text[field].n);
        if (field >= PROPERTY && p.num[PROTOCOL_VERSION] != 5)
                return false;
        smp_int(smp, p.num[field]);
        return smp_cast(smp, SMP_STR);
}

static const struct conv rows[] = {
        { .name = "mqtt_field_value",
          .args = { ARG_STR, ARG_STR },
          .min_args = 2,
          .in = SMP_BIN,
          .out = SMP_STR,
          .manual = "7.3.1",
          .check = check_field,
          .fn = mqtt_field_value,
          .help = "a field or property of an MQTT packet: connect or connack, and its name or number" },
        { .name = "mqtt_is_valid",
          ROW(BIN, BOOL),
          .fn = mqtt_is_valid,
          .help = "is it a valid CONNECT or CONNACK of MQTT" },
};
CONV_TABLE(mqtt, rows);
