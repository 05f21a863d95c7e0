/* feat/stats/page_admin_fuzz.c - any body as the page's form: read within its bytes, answered with a code that the page knows. */
#include "base/thr.h"
#include "feat/stats/page_admin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const struct stats_cfg cfg = { .enable = true };
        static const struct stats_use use = { .cfg = &cfg, .section = "s" };
        const struct hmsg req = { 0 };
        const char *code;

        if (!thr_self)
                thr_self = thr_new(0, &sys_kernel, 4096);
        code = stats_admin_post(&use, &req, (struct str){ (const char *)data, size });
        ASSERT(stats_admin_text(str_of(code)) != NULL);
        ASSERT(strcmp(code, "DONE") != 0); /* there is no backend */
        return 0;
}
