/* main/pidfile.h - the pid file: opened while rights are there, written once the pid is final. */
#ifndef MAIN_PIDFILE_H
#define MAIN_PIDFILE_H

#include <stdbool.h>

int pidfile_open(const char *path);  /* fd, or negative errno */
void pidfile_write(int fd, int pid); /* and closes it; fd < 0: nothing */
bool pidfile_take(const char *path); /* this process's, in one go; NULL is fine. False: it was logged */

#endif
