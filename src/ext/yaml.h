/* ext/yaml.h - one YAML document as a value tree (kubeconfig files and their like).
 *
 * Plain scalars are read by the core schema of YAML 1.2 (section 10.3): null, true, false, integers, reals; all else,
 * and whatever is quoted, is a string ("no" and "on" too). JSON is YAML, so a kubeconfig in JSON is taken.
 * Refused: aliases and tags (a few lines of aliases unfold to gigabytes, and nothing we read needs either), keys that
 * repeat or are no scalars, a second document, NUL, nesting deeper than VAL_DEPTH, more values than YAML_VALUES or keys than YAML_KEYS.
 * Threads: none of its own.  Errors: -ENOMEM; -EBADMSG, then ret_err says what and where. */
#ifndef EXT_YAML_H
#define EXT_YAML_H

#include "ext/val.h"

#define YAML_VALUES 100000
#define YAML_KEYS   1000 /* in one map: each new key is compared with all before it */

/* ret_v lives in mem; an empty text is a null. On an error ret_err is filled (NULL is fine) and ret_v untouched. */
must_check int yaml_read(struct arena *mem, struct str text, struct val *ret_v, struct val_err *ret_err);

#endif
