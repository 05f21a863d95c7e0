/* Every converter with whatever bytes: nothing is read or written out of bounds, and every byte of a result can be read. */
#include "feat/convs/conv.h"
#include "conf/conf.h"
#include "core/kinds.h"
#include "core/vars.h"
#include "core/fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PROGRAMS_MAX = 200 };

static struct fx_stream fs;
static struct fx_conf *conf; /* for good */
static const struct expr *programs[PROGRAMS_MAX];
static unsigned n_programs;

/* Arguments of those that do not go without, or that do more with them; several rows of one name are several programs. */
static const char *const with_args[] = {
        "regsub([a-z]*,'<\\0>',g)",
        "add_item(',',txn.in,b)",
        "concat(a,txn.in,b)",
        "strcmp(txn.in)",
        "secure_memcmp(txn.in)",
        "add(txn.in)",
        "bytes(1,3)",
        "bytes(txn.in,txn.in)",
        "be2dec(:,3)",
        "le2dec(:,8,1)",
        "be2hex(:,3,1)",
        "field(2,/)",
        "field(-2,/,2)",
        "word(2,/)",
        "word(-1,/,0)",
        "param(a)",
        "ltrim(ab)",
        "rtrim(ab)",
        "iif(a,b)",
        "ipmask(24,64)",
        "json(utf8)",
        "json(utf8s)",
        "json(utf8p)",
        "json(utf8ps)",
        "json_query('$.a[1].b')",
        "json_query('$[0]',int)",
        "language(en;fr,de)",
        "utime(%Y-%m-%d %T)",
        "ltime(%c)",
        "ms_utime(%F %T.%3N,5)",
        "us_ltime(%N%z)",
        "http_date(5,ms)",
        "protobuf(1.2.3)",
        "protobuf(1,sint32)",
        "protobuf(1,double)",
        "ungrpc(1)",
        "ungrpc(1.1,int32)",
        "rfc7239_field(for)",
        "rfc7239_field(host)",
        "mqtt_field_value(connect,username)",
        "mqtt_field_value(1,3)",
        "mqtt_field_value(2,17)",
        "fix_tag_value(49)",
        "ip.fp(7)",
        "crc32(1)",
        "xxh3(7)",
        "url_dec(1)",
};

static void add_program(const char *conv)
{
        struct diags d;
        struct kw_call c = { .conf = conf->c, .diags = &d };
        char text[200];
        size_t used;

        diags_init(&d);
        (void)snprintf(text, sizeof(text), "var(txn.in),%s", conv);
        ASSERT(n_programs < PROGRAMS_MAX);
        programs[n_programs] = expr_compile(&c, str_of(text), NULL, EXPR_AT_REQUEST, &used);
        ASSERT(programs[n_programs] && used == strlen(text));
        programs[n_programs] = expr_cast(&c, programs[n_programs], SMP_STR);
        ASSERT(programs[n_programs]);
        n_programs++;
        diags_fini(&d);
}

static bool has_args(const char *name)
{
        size_t n = strlen(name);

        for (size_t i = 0; i < array_len(with_args); i++) {
                if (strncmp(with_args[i], name, n) == 0 && with_args[i][n] == '(')
                        return true;
        }
        return false;
}

/* Another feature's converters are its own matter when they need arguments. */
static void set_up(void)
{
        size_t n;
        const struct conv_table *const *t;

        fx_thread();
        kw_boot();
        fx_stream_init(&fs, NULL);
        conf = fx_load("global\n");
        t = expr_conv_tables(&n);
        for (size_t i = 0; i < n; i++) {
                for (size_t k = 0; k < t[i]->n; k++) {
                        const struct conv *v = &t[i]->rows[k];

                        if (v->args[0] == ARG_NONE || (v->min_args == 0 && !v->check && !has_args(v->name)))
                                add_program(v->name);
                }
        }
        for (size_t i = 0; i < array_len(with_args); i++)
                add_program(with_args[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct expr_ctx x = {
                .strm = &fs.s, .sess = &fs.ss, .have = EXPR_AT_REQUEST | EXPR_AT_RESPONSE | EXPR_AT_LOG, .final = true
        };
        char why[VAR_WHY_MAX];
        struct smp s;

        if (size > 20000)
                return 0;
        if (!thr_self)
                set_up();
        smp_str(&s, (struct str){ (const char *)data, size });
        s.type = SMP_BIN;
        if (!var_set(var_name_parse(STR("txn.in"), why), &x, &s))
                return 0;
        for (unsigned i = 0; i < n_programs; i++) {
                volatile char sum = 0;

                s = (struct smp){ .iter = 0 };
                if (expr_run(programs[i], &x, &s) != EXPR_OK)
                        continue;
                for (uint32_t k = 0; k < s.s.n; k++)
                        sum = (char)(sum + s.s.p[k]);
        }
        return 0;
}
