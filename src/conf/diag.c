/* conf/diag.c - the list of what is wrong; printing is in diag_print.c. */
#include "conf/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void diags_init(struct diags *d)
{
        *d = (struct diags){ .mem = ARENA_INIT };
        list_init(&d->all);
}

void diags_fini(struct diags *d)
{
        free(d->files);
        arena_fini(&d->mem);
        diags_init(d);
}

uint32_t diags_add_file(struct diags *d, const char *name, struct str text)
{
        struct diag_file *f = realloc(d->files, (d->n_files + 1) * sizeof(*f));

        ASSERT(f != NULL);
        d->files = f;
        f[d->n_files] = (struct diag_file){ arena_strdup(&d->mem, str_of(name)), text };
        return d->n_files++;
}

void diags_forget_texts(struct diags *d)
{
        for (uint32_t i = 0; i < d->n_files; i++)
                d->files[i].text = (struct str){ NULL, 0 };
}

__attribute__((format(printf, 2, 0))) static char *vprint(struct arena *a, const char *fmt, va_list ap)
{
        va_list again;
        char *p;
        int n;

        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, again);
        va_end(again);
        ASSERT(n >= 0);
        p = arena_alloc(a, (size_t)n + 1);
        (void)vsnprintf(p, (size_t)n + 1, fmt, ap);
        return p;
}

struct diag *diag_add(struct diags *d, enum diag_level l, struct span at, const char *code, const char *fmt, ...)
{
        struct diag *g = arena_alloc(&d->mem, sizeof(*g));
        va_list ap;

        va_start(ap, fmt);
        g->text = vprint(&d->mem, fmt, ap);
        va_end(ap);
        g->level = l;
        g->at = at;
        g->code = code;
        g->parsing = at.line != 0;
        list_push(&d->all, &g->link);
        d->n_notices += l == DIAG_NOTICE;
        d->n_warnings += l == DIAG_WARNING;
        d->n_alerts += l == DIAG_ALERT;
        return g;
}

void diag_hint(struct diags *d, struct diag *g, const char *fmt, ...)
{
        va_list ap;

        va_start(ap, fmt);
        g->hint = vprint(&d->mem, fmt, ap);
        va_end(ap);
}

void diag_suggest(struct diags *d, struct diag *g, const char *word)
{
        if (word)
                g->suggest = arena_strdup(&d->mem, str_of(word));
}
