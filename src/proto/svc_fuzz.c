/* Answers of services: the first byte chooses which. */
#include "proto/svc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const svc_fn fns[] = { svc_mysql_greeting, svc_mysql_result, svc_pgsql, svc_redis,
                                      svc_smtp,           svc_ldap,         svc_ssl };
        svc_fn fn;
        struct str in;

        if (size == 0)
                return 0;
        fn = fns[data[0] % 7];
        in = (struct str){ (const char *)data + 1, size - 1 };
        for (size_t n = 0; n <= in.n; n += 1 + n / 4) {
                struct svc_verdict v = fn(str_sub(in, 0, n), false);

                ASSERT(fn(str_sub(in, 0, n), true).answer != SVC_MORE);
                ASSERT(v.text.n <= 64 || (v.text.p >= in.p && v.text.p + v.text.n <= in.p + n));
        }
        return 0;
}
