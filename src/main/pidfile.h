/* main/pidfile.h - the pid file: opened while rights are there, written once the pid is final. */
#ifndef MAIN_PIDFILE_H
#define MAIN_PIDFILE_H

int pidfile_open(const char *path);  /* fd, or negative errno */
void pidfile_write(int fd, int pid); /* and closes it; fd < 0: nothing */

#endif
