/* main/symbols.h - the name of the function at an offset of our own program, as long as the file has its symbols (package builds may have
 * none: then addr2line tells by the offset).
 * Threads: one at a time.  Not for signal handlers. */
#ifndef MAIN_SYMBOLS_H
#define MAIN_SYMBOLS_H

#include "base/buf.h"

void symbols_name(uint64_t offset, struct buf *out); /* "strm_run+0x1f"; nothing when it is not known */

#endif
