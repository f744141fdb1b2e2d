# What cases are made of.

fail() {
    echo "@@ FAIL boot $number: $*"
    systemctl --no-pager --no-legend --failed
    journalctl -b --no-pager -n 60
    tail -n 30 /home/deploy/.hearth/hearthd.log /root/.hearth/hearthd.log /home/deploy/.pm2/pm2.log 2>/dev/null
    sync
    systemctl poweroff
    sleep 60
    exit 1
}
note() { echo "@@ note $*"; }
# A measured value: shown in any case.
figure() { echo "@@ figure $*"; }

# within SECONDS COMMAND…: until it succeeds.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || return 1
        sleep 0.05
    done
}

# As the user who deploys, in a clean environment, as su gives it.
deploy() { setpriv --reuid=1500 --regid=1500 --init-groups env -i HOME=/home/deploy USER=deploy LOGNAME=deploy \
    PATH=/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 ${XDG_RUNTIME_DIR:+XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR} bash -c 'cd; exec "$@"' - "$@"; }
deploy_hearth() { deploy hearth "$@"; }

# online COUNT [COMMAND…]: so many apps are online.
online() {
    local count="$1"
    shift
    [ "$("${@:-deploy_hearth}" list --json | grep -o '"status":"online"' | wc -l)" = "$count" ]
}
# Pids of the apps, one line.
pids() { "${@:-deploy_hearth}" pid all | tr '\n' ' '; }
daemon_pid() { "${@:-deploy_hearth}" daemon status --json | sed 's/.*"pid":\([0-9]*\).*/\1/'; }
keeper_pid() { "${@:-deploy_hearth}" daemon status --json | sed 's/.*"keeperPid":\([0-9]*\).*/\1/'; }
unit_of_daemon() { "${@:-deploy_hearth}" daemon status --json | sed -n 's/.*"unit":"\([^"]*\)".*/\1/p'; }

# A script that notes how it ends, and one that only lives.
make_apps() { # make_apps DIRECTORY OWNER
    mkdir -p "$1"
    cat >"$1/worker.sh" <<'APP'
#!/bin/bash
trap 'echo "stopped by SIGTERM"; exit 0' TERM
echo "started as $(id -un) in $PWD"
while :; do sleep 1 & wait $!; done
APP
    chmod 755 "$1/worker.sh"
    mkdir -p "$1/site"
    echo "hello from $1" >"$1/site/index.html"
    chown -R "$2" "$1"
}

# The state of a URL; no curl in a minimal Debian.
http() { # http PORT [PATH]: prints the status
    exec 7<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n' "${2:-/}" >&7
    head -n 1 <&7 | cut -d' ' -f2
    exec 7>&-
}
answers() { [ "$(http "$1" 2>/dev/null)" = 200 ]; }

# Every pid of $1 still is the same program's: no app was restarted.
unchanged() { # unchanged BEFORE AFTER WHAT
    [ -n "${1// /}" ] && [ "$1" = "$2" ] || fail "$3: pids were '$1', are '$2'"
}
