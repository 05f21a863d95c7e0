#!/bin/sh
# Worker swaps under traffic that never retries: SWAPS=50 for a long run.
exec /usr/bin/python3 "$(dirname "$0")/swap.py"
