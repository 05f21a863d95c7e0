#!/bin/sh
# The haproxy.cfg files of seeds 000, 002 and 003 as their users have them, each through a life: load, serve, a server's death and return,
# reload, kill -9, stop. In namespaces of its own, where the files' addresses, folders and accounts are. Needs root.
exec unshare -m -n --propagation private /usr/bin/python3 "$(dirname "$0")/seeds.py"
