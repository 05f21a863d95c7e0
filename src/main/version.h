/* main/version.h - what we are, for -v, -vv, conditions in files and `show version`. */
#ifndef MAIN_VERSION_H
#define MAIN_VERSION_H

#include "base/buf.h"

#define TELAMON_VERSION "0.1.0"
#define HAPROXY_LEVEL   "3.4.0" /* the version whose manual we follow: version_atleast() and scripts compare it */
#define HAPROXY_BRANCH  "3.4"

void version_line(struct buf *out);    /* -v */
void version_build(struct buf *out);   /* -vv: TARGET, "Feature list : +X -Y", "Available services :" */
bool version_feature(struct str name); /* feature("OPENSSL") */
bool version_enabled(struct str name); /* enabled("SPLICE") */

#endif
