/* feat/convs/fix.c - messages of FIX, the Financial Information eXchange (fixtrading.org, tag=value encoding): are they valid, and the
 * value of a tag. What comes behind the first message is ignored; one that is not complete yet is no sample. */
#include "feat/convs/conv.h"

enum { SOH = 1 };
enum { TAG_BEGIN = 8, TAG_LENGTH = 9, TAG_CHECKSUM = 10, TAG_TYPE = 35, TAG_SENDER = 49, TAG_TARGET = 56 };

/* "tag=value" up to its end. False: not complete. *ret_tag 0: not a number above 0. */
static bool take_field(struct str *s, uint64_t *ret_tag, struct str *ret_value)
{
        const char *end = s->n ? memchr(s->p, SOH, s->n) : NULL, *eq;
        size_t n;

        if (!end)
                return false;
        n = (size_t)(end - s->p);
        eq = memchr(s->p, '=', n);
        if (!eq || !str_to_u64(str_sub(*s, 0, (size_t)(eq - s->p)), ret_tag))
                *ret_tag = 0;
        *ret_value = eq ? (struct str){ eq + 1, (size_t)(end - eq - 1) } : (struct str){ end, 0 };
        *s = str_sub(*s, n + 1, s->n - n - 1);
        return true;
}

static bool is_version(struct str v)
{
        static const char *const all[] = { "FIX.4.0", "FIX.4.1", "FIX.4.2", "FIX.4.3", "FIX.4.4", "FIXT.1.1" };

        for (size_t i = 0; i < array_len(all); i++) {
                if (str_is(v, all[i]))
                        return true;
        }
        return false;
}

enum verdict { VALID, INVALID, MORE };

/* The last field: three digits, the sum of all bytes before it. */
static enum verdict judge_sum(const char *first, struct str s)
{
        const char *end = s.p;
        uint64_t tag, want;
        unsigned sum = 0;
        struct str value;

        if (!take_field(&s, &tag, &value))
                return MORE;
        for (const char *p = first; p < end; p++)
                sum += (unsigned char)*p;
        return tag == TAG_CHECKSUM && value.n == 3 && str_to_u64(value, &want) && want == (sum & 0xff) ? VALID
                                                                                                       : INVALID;
}

static enum verdict judge(struct str in)
{
        struct str s = in, value, body;
        uint64_t tag, len;

        if (!take_field(&s, &tag, &value))
                return MORE;
        if (tag != TAG_BEGIN || !is_version(value))
                return INVALID;
        if (!take_field(&s, &tag, &value))
                return MORE;
        if (tag != TAG_LENGTH || !str_to_u64(value, &len))
                return INVALID;
        if (len > s.n)
                return MORE;
        body = str_sub(s, 0, len);
        for (bool first = true; body.n; first = false) {
                if (!take_field(&body, &tag, &value) || tag == 0 || value.n == 0 || (first && tag != TAG_TYPE) ||
                    tag == TAG_CHECKSUM)
                        return INVALID;
        }
        return len ? judge_sum(in.p, str_sub(s, len, s.n - len)) : INVALID;
}

CONV(fix_is_valid)
{
        enum verdict v = judge(smp_text(smp));

        UNUSED;
        smp_bool(smp, v == VALID);
        return v != MORE;
}

CHECK(check_tag)
{
        static const struct {
                const char *name;
                int tag;
        } names[] = { { "BeginString", TAG_BEGIN },   { "BodyLength", TAG_LENGTH },   { "MsgType", TAG_TYPE },
                      { "SenderCompID", TAG_SENDER }, { "TargetCompID", TAG_TARGET }, { "CheckSum", TAG_CHECKSUM } };
        struct str name = arg_text(args, n_args, 0);
        int64_t tag = 0;

        for (size_t i = 0; i < array_len(names); i++) {
                if (str_ieq(name, str_of(names[i].name)))
                        tag = names[i].tag;
        }
        if ((tag == 0 && !str_to_i64(name, &tag)) || tag <= 0)
                return conv_refuse(c, at, "Unknown FIX tag name '%.*s'.", (int)name.n, name.p);
        args[0].i = tag;
        return true;
}

CONV(fix_tag_value)
{
        struct str s = smp_text(smp), value;
        uint64_t tag;

        UNUSED;
        while (take_field(&s, &tag, &value)) {
                if (tag == (uint64_t)args[0].i)
                        return conv_narrow(smp, (size_t)(value.p - smp->s.p), value.n);
                if (tag == TAG_CHECKSUM)
                        break;
        }
        return false;
}

static const struct conv rows[] = {
        { .name = "fix_is_valid", ROW(BIN, BOOL), .fn = fix_is_valid, .help = "is it a valid FIX message" },
        { .name = "fix_tag_value",
          .args = { ARG_STR },
          .min_args = 1,
          ROW(BIN, BIN),
          .check = check_tag,
          .fn = fix_tag_value,
          .help = "the value of a tag (number or name) of a FIX message" },
};
CONV_TABLE(fix, rows);
