/* main/syslog_fd.h - a connected datagram socket to a local log daemon. */
#ifndef MAIN_SYSLOG_FD_H
#define MAIN_SYSLOG_FD_H

int syslog_fd(const char *path); /* non-blocking, close-on-exec; -1 when nobody listens there now */

#endif
