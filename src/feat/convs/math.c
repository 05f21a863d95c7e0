/* feat/convs/math.c - arithmetic and bits: results stay within 64 bits, as in HAProxy. */
#include "feat/convs/conv.h"

CHECK(check_operand)
{
        return n_args == 0 || conv_number_arg(c, &args[0], at);
}

/* A converter `fn` over its input `a` and its argument `b`. */
#define MATH(fn, result)                                                                                               \
        CONV(fn)                                                                                                       \
        {                                                                                                              \
                int64_t a = smp->i, b = 0;                                                                             \
                                                                                                                       \
                if (!conv_number(x, args, n_args, 0, &b))                                                              \
                        return false;                                                                                  \
                smp->i = (result);                                                                                     \
                return true;                                                                                           \
        }

static int64_t sum(int64_t a, int64_t b)
{
        int64_t v;

        return __builtin_add_overflow(a, b, &v) ? (a < 0 ? INT64_MIN : INT64_MAX) : v;
}

static int64_t difference(int64_t a, int64_t b)
{
        int64_t v;

        return __builtin_sub_overflow(a, b, &v) ? (a < 0 ? INT64_MIN : INT64_MAX) : v;
}

static int64_t product(int64_t a, int64_t b)
{
        int64_t v;

        return __builtin_mul_overflow(a, b, &v) ? ((a < 0) != (b < 0) ? INT64_MIN : INT64_MAX) : v;
}

static int64_t quotient(int64_t a, int64_t b)
{
        return b == 0 || (a == INT64_MIN && b == -1) ? INT64_MAX : a / b;
}

static int64_t rest(int64_t a, int64_t b)
{
        return b == 0 || b == -1 ? 0 : a % b;
}

MATH(add, sum(a, b))
MATH(sub, difference(a, b))
MATH(mul, product(a, b))
MATH(divide, quotient(a, b))
MATH(mod, rest(a, b))
MATH(bits_and, a &b)
MATH(bits_or, a | b)
MATH(bits_xor, a ^ b)

CONV(neg)
{
        UNUSED;
        smp->i = difference(0, smp->i);
        return true;
}

CONV(cpl)
{
        UNUSED;
        smp->i = ~smp->i;
        return true;
}

CONV(to_bool)
{
        UNUSED;
        smp_bool(smp, smp->i != 0);
        return true;
}

CONV(not )
{
        UNUSED;
        smp_bool(smp, smp->i == 0);
        return true;
}

CONV(odd)
{
        UNUSED;
        smp_bool(smp, (smp->i & 1) != 0);
        return true;
}

CONV(even)
{
        UNUSED;
        smp_bool(smp, (smp->i & 1) == 0);
        return true;
}

#define OPERAND .args = { ARG_STR }, .check = check_operand, ROW(SINT, SINT)

static const struct conv rows[] = {
        { .name = "add",
          OPERAND,
          .fn = add,
          .help = "adds a number, or a variable; stops at the largest or smallest number" },
        { .name = "and", OPERAND, .fn = bits_and, .help = "bitwise and with a number or a variable" },
        { .name = "bool", ROW(SINT, BOOL), .fn = to_bool, .help = "is it not 0" },
        { .name = "cpl", ROW(SINT, SINT), .fn = cpl, .help = "all bits flipped" },
        { .name = "div", OPERAND, .fn = divide, .help = "divided by a number or a variable; by 0: the largest number" },
        { .name = "even", ROW(SINT, BOOL), .fn = even, .help = "is it even" },
        { .name = "mod", OPERAND, .fn = mod, .help = "the rest of a division by a number or a variable; by 0: 0" },
        { .name = "mul",
          OPERAND,
          .fn = mul,
          .help = "times a number or a variable; stops at the largest or smallest number" },
        { .name = "neg", ROW(SINT, SINT), .fn = neg, .help = "the opposite number" },
        { .name = "not", ROW(SINT, BOOL), .fn = not, .help = "is it 0" },
        { .name = "odd", ROW(SINT, BOOL), .fn = odd, .help = "is it odd" },
        { .name = "or", OPERAND, .fn = bits_or, .help = "bitwise or with a number or a variable" },
        { .name = "sub",
          OPERAND,
          .fn = sub,
          .help = "takes a number, or a variable, away; stops at the largest or smallest number" },
        { .name = "xor", OPERAND, .fn = bits_xor, .help = "bitwise exclusive or with a number or a variable" },
};
CONV_TABLE(math, rows);
