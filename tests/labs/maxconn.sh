#!/bin/sh
# Exact across threads: server maxconn under aborts, and strict alternation of round robin.
exec /usr/bin/python3 "$(dirname "$0")/maxconn.py"
