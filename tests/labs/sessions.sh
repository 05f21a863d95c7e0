#!/bin/sh
# Half-closed sessions, and signals that end the process while sessions are open.
exec /usr/bin/python3 "$(dirname "$0")/sessions.py"
