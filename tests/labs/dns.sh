#!/bin/sh
# Names of servers followed by section resolvers: states, holds, reload, respawn, and a DNS server that lies. Needs root.
exec unshare -m -n --propagation private /usr/bin/python3 "$(dirname "$0")/dns.py"
