/* feat/resolvers/section.c - which sections run: compared with the configuration each time one comes into force. A section that did
 * not change goes on with its questions and counters. */
#include "base/thr.h"
#include "conf/conf.h"
#include "core/event.h"
#include "feat/resolvers/resolvers.h"

#include <stdlib.h>

pthread_mutex_t resolvers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct list sections = { &sections, &sections }; /* of the control thread; changed with the lock */

struct section *section_find(struct str name)
{
        list_for_each (i, &sections)
                if (str_is(name, list_item(i, struct section, link)->name))
                        return list_item(i, struct section, link);
        return NULL;
}

struct section *section_next(struct section *s)
{
        struct list *i = s ? s->link.next : sections.next;

        return i == &sections ? NULL : list_item(i, struct section, link);
}

static void section_end(struct section *s)
{
        follow_section_ends(s);
        pthread_mutex_lock(&resolvers_lock);
        list_del(&s->link);
        nameservers_close(s);
        pthread_mutex_unlock(&resolvers_lock);
        map_fini(&s->by_name);
        free(s->name);
        free(s);
}

static void section_begin(const struct conf_obj *o, const struct resolvers_cfg *cfg)
{
        struct section *s = calloc(1, sizeof(*s));
        int err;

        ASSERT(s != NULL);
        s->name = strdup(o->name);
        ASSERT(s->name != NULL);
        s->cfg = *cfg;
        s->obj = o;
        s->queries = s->by_name = (struct map)MAP_INIT;
        list_init(&s->questions);
        err = nameservers_open(s, thr_self->loop);
        ASSERT(err == 0); /* configuration-sized memory: ADR 0002 */
        pthread_mutex_lock(&resolvers_lock);
        list_push(&sections, &s->link);
        pthread_mutex_unlock(&resolvers_lock);
}

/* The old configuration is still there: the objects can be compared. */
static void sync_sections(const struct conf *c)
{
        list_for_each_safe (i, &sections) {
                struct section *s = list_item(i, struct section, link);
                const struct conf_obj *o = conf_find(c, KIND_RESOLVERS, str_of(s->name));

                if (!o || !conf_obj_same(s->obj, o))
                        section_end(s);
                else
                        s->obj = o;
        }
        for (const struct conf_obj *o = c->first; o; o = o->sibling)
                if (o->kind->bit == KIND_RESOLVERS && !section_find(str_of(o->name)))
                        section_begin(o, conf_slot(o, resolvers_slot));
}

static void on_applied(const void *event)
{
        const struct conf *c = event;

        if (c) {
                sync_sections(c);
                follow_sync();
                return;
        }
        list_for_each_safe (i, &sections) /* the world is taken down */
                section_end(list_item(i, struct section, link));
}

static const struct event_sub applied = { .type = EVENT_APPLIED, .rank = 50, .name = "resolvers", .fn = on_applied };
EVENT_SUB(applied);
