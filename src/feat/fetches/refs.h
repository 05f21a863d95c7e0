/* feat/fetches/refs.h - frontends, backends and servers that an argument of a fetch names.
 *
 * A name may stand before its section, so it is looked for when all files are read: an unknown one is an alert then. At run time it
 * is looked up again, as reloads come and go while a program lives.
 * Threads: checks while loading, finders on any data thread inside its epoch. */
#ifndef FEAT_FETCHES_REFS_H
#define FEAT_FETCHES_REFS_H

#include "core/expr.h"
#include "core/server.h"

/* For struct fetch.check of fetches whose only argument is such a name. */
bool ref_check_front(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);
bool ref_check_back(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);
bool ref_check_server(struct kw_call *c, struct expr_arg *args, unsigned n_args, const struct word *at);

/* What the argument means, or without one the proxy at work; NULL: there is none (any more). */
struct front *ref_front(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args);
struct back *ref_back(const struct expr_ctx *x, const struct expr_arg *args, unsigned n_args);
struct server *ref_server(const struct expr_ctx *x, const struct expr_arg *args);

#endif
