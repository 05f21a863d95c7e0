/* feat/cli/servers.h - what the files of `set server` share (servers.c, agents.c). */
#ifndef FEAT_CLI_SERVERS_H
#define FEAT_CLI_SERVERS_H

#include "core/cli.h"
#include "core/server.h"

/* Journals "set server B/S <what> <text>" under a key of its own. */
void cli_note_server(struct cli_call *c, const struct server *s, const char *what, const char *text);
bool cli_read_ip(struct str text, struct addr *ret_a); /* port 0 */

/* agents.c: each is one word after "set server B/S" */
void cli_do_agent(struct cli_call *c, struct server *s);
void cli_do_agent_addr(struct cli_call *c, struct server *s);
void cli_do_agent_port(struct cli_call *c, struct server *s);
void cli_do_agent_send(struct cli_call *c, struct server *s);
void cli_do_check_addr(struct cli_call *c, struct server *s);
void cli_do_check_port(struct cli_call *c, struct server *s);

#endif
