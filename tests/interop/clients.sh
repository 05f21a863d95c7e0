#!/bin/sh
# Programs that others wrote to watch and steer HAProxy, on Telamon and on Debian's HAProxy after the same traffic.
exec /usr/bin/python3 "$(dirname "$0")/clients.py"
