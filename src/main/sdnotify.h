/* main/sdnotify.h - tells systemd (Type=notify) what goes on: sd_notify(3)'s protocol, one datagram per message. */
#ifndef MAIN_SDNOTIFY_H
#define MAIN_SDNOTIFY_H

#include "base/assert.h"

/* Nothing when $NOTIFY_SOCKET is not set. Newlines separate assignments: "READY=1\nSTATUS=Ready.". */
void sdnotify(const char *fmt, ...) fmt_like(1, 2);
void sdnotify_reloading(void); /* RELOADING=1 with its time stamp, as Type=notify-reload wants */

#endif
