#!/usr/bin/env bash
# The main job, shown: apps of three languages run, hearthd is killed with SIGKILL, and nobody notices.
#
# Works in a home and on ports of its own, and stops everything it started, also when it fails.
set -euo pipefail

cd "$(dirname "$0")"
programs="${HEARTH_BIN:-../.build-release/release}"
hearth="$(cd "$programs" && pwd)/hearth"
apps=(node-api php-site python-worker)

scratch="$(mktemp -d "${TMPDIR:-/tmp}/hearth-demo.XXXXXX")"
export HEARTH_HOME="$scratch/home"
unset HEARTH_LIBEXEC

fail() {
    echo "demo: $*" >&2
    exit 1
}

say() { printf '\n== %s\n' "$*"; }

# The trap: whatever happened, nothing of ours is left running.
stop_everything() {
    local status=$?
    trap - EXIT
    if [ "$status" -ne 0 ] && [ -f "$HEARTH_HOME/hearthd.log" ]; then
        echo "demo: the end of hearthd.log:" >&2
        tail -n 20 "$HEARTH_HOME/hearthd.log" >&2
    fi
    "$hearth" kill >/dev/null 2>&1 || echo "demo: 'hearth kill' failed; look for processes with HEARTH_HOME=$HEARTH_HOME" >&2
    rm -rf "$scratch"
    exit "$status"
}
trap stop_everything EXIT
trap 'exit 130' INT TERM

# A field of the JSON on standard input.
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

daemon_pid() { "$hearth" ping --json | field pid; }

# Ports that are free now. 0 lets the kernel choose; all are held until the last is known, so they differ.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket, sys
sockets = [socket.socket() for _ in range(int(sys.argv[1]))]
for held in sockets:
    held.bind(("127.0.0.1", 0))
print(*(held.getsockname()[1] for held in sockets))
PYTHON
}

url_of() { echo "http://127.0.0.1:${port[$1]}/health"; }

status_of() { curl --silent --output /dev/null --max-time 5 --write-out '%{http_code}' "$(url_of "$1")" || true; }

wait_for_url() {
    local deadline=$((SECONDS + 20))
    until [ "$(status_of "$1")" = 200 ]; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$1 does not answer 200 at $(url_of "$1"): $("$hearth" why "$1")"
        sleep 0.1
    done
    echo "$1: 200 from $(url_of "$1")"
}

check_urls() {
    answering=0
    for app in "${apps[@]}"; do
        local status
        status="$(status_of "$app")"
        echo "$app: $status from $(url_of "$app")"
        [ "$status" != 200 ] || answering=$((answering + 1))
    done
    [ "$answering" -eq "${#apps[@]}" ] || fail "$answering of ${#apps[@]} URLs answer 200"
}

pids() { for app in "${apps[@]}"; do echo "$app $("$hearth" pid "$app")"; done; }

declare -A port
read -r -a free <<<"$(free_ports "${#apps[@]}")"
for index in "${!apps[@]}"; do port[${apps[index]}]="${free[index]}"; done
# apps.json as it is, with the free ports for its own.
sed -e "s/48101/${port[node-api]}/" -e "s/48102/${port[php-site]}/" -e "s/48103/${port[python-worker]}/" \
    apps.json >"$scratch/apps.json"

say "hearth start apps.json"
"$hearth" start "$scratch/apps.json" --only node-api,php-site,python-worker
for app in "${apps[@]}"; do wait_for_url "$app"; done

# Ports are measured once a second at most: the list shows them when they are known.
ports_known() {
    "$hearth" list --json | python3 -c 'import json, sys; sys.exit(not all(app["ports"] for app in json.load(sys.stdin)))'
}
deadline=$((SECONDS + 10))
until ports_known; do
    [ "$SECONDS" -lt "$deadline" ] || fail "'hearth list' does not show the ports of all apps"
    sleep 0.2
done

say "hearth list"
"$hearth" list

before="$(pids)"
daemon="$(daemon_pid)"
say "kill -9 $daemon (hearthd)"
kill -9 "$daemon"
# Whether or not a new one is there yet.
check_urls

deadline=$((SECONDS + 10))
until successor="$(daemon_pid 2>/dev/null)" && [ "$successor" != "$daemon" ]; do
    [ "$SECONDS" -lt "$deadline" ] || fail "no new hearthd answers within 10 s"
    sleep 0.02
done
say "hearthd $successor has taken over"
"$hearth" list

after="$(pids)"
[ "$before" = "$after" ] || fail "pids changed; before: ${before//$'\n'/, }; after: ${after//$'\n'/, }"
check_urls

"$hearth" kill
for app in "${apps[@]}"; do
    [ "$(status_of "$app")" = 000 ] || fail "$app still answers after 'hearth kill'"
done
trap - EXIT
rm -rf "$scratch"
echo "demo: ${#apps[@]} apps, hearthd SIGKILLed, pids unchanged, $answering of ${#apps[@]} URLs 200"
