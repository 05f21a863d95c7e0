/* conf/cond_fuzz.c - any text as a condition: the answer is 1, 0 or -1 with a place inside the text, and !(x) is its
 * opposite. */
#include "conf/cond.h"

#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool even_length(struct str name)
{
        return name.n % 2 == 0;
}

static bool var(void *ctx, struct str name, struct str *ret_value)
{
        (void)ctx;
        *ret_value = name;
        return name.n < 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct conf_opts o = { .version = "3.4.0",
                                            .feature = even_length,
                                            .enabled = even_length,
                                            .openssl_version = "3.0.15",
                                            .ssl_library = "OpenSSL" };
        static const struct text_vars vars = { var, NULL };
        struct str s = { (const char *)data, size };
        struct cond_fault f = { .at = 0 };
        int r = cond_eval(s, &o, &vars, &f), opposite;
        AUTO_BUF(b);

        ASSERT(r >= -1 && r <= 1);
        ASSERT(r != -1 || f.at <= size);
        if (r < 0 || str_trim(s).n == 0)
                return 0;
        buf_puts(&b, "!(");
        buf_str(&b, s);
        buf_putc(&b, ')');
        opposite = cond_eval(buf_view(&b), &o, &vars, &f);
        ASSERT(opposite == !r || opposite == -1); /* -1: one parenthesis too deep */
        return 0;
}
