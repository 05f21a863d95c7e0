/* main/give.c - see the header. */
#include "main/give.h"

#include "main/syslog_fd.h"

#include <unistd.h>

int give_log(struct outbox *o, struct str path)
{
        char z[108];
        int fd = -1, e;

        if (path.n < sizeof(z)) {
                memcpy(z, path.p, path.n);
                z[path.n] = 0;
                fd = syslog_fd(z);
        }
        e = outbox_send(o, CH_LOG_FD, (struct channel_arg[]){ CH_S(path) }, &fd, fd >= 0);
        if (fd >= 0)
                (void)close(fd);
        return e;
}

int give_conf(struct outbox *o, const struct supconf *c)
{
        int e = 0;

        for (size_t i = 0; i < c->n_binds && e == 0; i++) {
                const struct sup_bind *b = &c->binds[i];
                struct channel_arg a[] = { CH_S(str_of(b->key)) };

                e = outbox_send(o, CH_LISTEN, a, b->fds, b->n_fds);
        }
        for (size_t i = 0; i < c->n_logs && e == 0; i++)
                e = give_log(o, str_of(c->logs[i]));
        return e;
}

int give_replay(struct outbox *o, struct str cmd, struct str key)
{
        return outbox_send(o, CH_REPLAY, (struct channel_arg[]){ CH_S(cmd), CH_S(key) }, NULL, 0);
}

int give_journal(struct outbox *o, const struct journal *j, bool keyed)
{
        int e = 0;

        list_for_each (i, &j->all) {
                const struct journal_entry *x = list_item(i, struct journal_entry, link);

                if (e == 0)
                        e = give_replay(o, str_of(x->cmd), keyed ? str_of(x->key) : STR(""));
        }
        return e;
}
