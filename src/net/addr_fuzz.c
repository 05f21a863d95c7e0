/* Any bytes: an answer, never a crash; what is accepted can be printed and, for literals, parsed again to the same. */
#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct str text, unsigned allow)
{
        struct addr_spec a, b;
        const char *why = NULL;
        enum addr_answer r = addr_parse(text, allow, &a, &why);
        AUTO_BUF(out);

        ASSERT(r != ADDR_BAD || why != NULL);
        if (r == ADDR_NAME)
                ASSERT(a.host[0] != 0 && strnlen(a.host, sizeof(a.host)) < sizeof(a.host));
        if (r != ADDR_OK || a.inherited_fd >= 0)
                return;
        if (a.family == AF_UNIX) {
                struct sockaddr_un un;
                ASSERT(addr_spec_unix(&a, &un) <= sizeof(un));
                return;
        }
        addr_print(&a.addr, &out);
        ASSERT(addr_parse(buf_view(&out), 0, &b, &why) == ADDR_OK && addr_eq(&a.addr, &b.addr));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct str text = { (const char *)data, size };

        for (unsigned allow = 0; allow < 64; allow++)
                check(text, allow);
        return 0;
}
