/* Any value of an Authorization field: what comes out lies in the field or in the room for it. */
#include "feat/auth/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct str s, const void *p, size_t n)
{
        const char *from = p;

        return s.n == 0 || (s.p >= from && s.p + s.n <= from + n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static char arena[65536];
        struct auth_said a;
        struct hfield f[2];
        struct hmsg m;

        if (size > 4096)
                return 0;
        hmsg_init(&m, f, array_len(f), arena, sizeof(arena));
        if (hmsg_add(&m, STR("authorization"), (struct str){ (const char *)data, size }) < 0 ||
            !auth_said(&m, STR("authorization"), &a))
                return 0;
        ASSERT(inside(a.user, a.plain, sizeof(a.plain)) && inside(a.password, a.plain, sizeof(a.plain)));
        ASSERT(inside(a.token, arena, sizeof(arena)));
        return 0;
}
