#!/usr/bin/env bash
# A loop in bash: says the time every second until it is asked to stop.
set -euo pipefail

interval="${INTERVAL:-1}"
trap 'echo "asked to stop"; exit 0' TERM

echo "started as pid $$, every ${interval} s"
while true; do
    date '+%H:%M:%S'
    # In the background: a trap runs at once in `wait`, but only after a `sleep` in the foreground.
    sleep "$interval" &
    wait $!
done
