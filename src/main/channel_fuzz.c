/* The channel's decoder and the spec's: both read what a process of less rights sent. */
#include "main/channel.h"
#include "main/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static struct channel_msg m;
        struct arena mem = ARENA_INIT;
        struct listen_spec s;
        unsigned n_fds = size ? data[0] % (CHANNEL_FDS + 1) : 0;

        if (size && channel_decode((const char *)data + 1, size - 1, n_fds, &m) && m.type == CH_SOCKET &&
            spec_decode(m.arg[3].s, &mem, &s)) {
                AUTO_BUF(again);

                spec_encode(&s, &again);
                ASSERT(again.n == m.arg[3].s.n);
                ASSERT(s.shards >= 1 && s.shards <= LISTEN_SHARDS_MAX);
        }
        arena_fini(&mem);
        return 0;
}
