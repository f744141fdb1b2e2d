# Pure cgroup v2 with its controllers: memory is counted for each app, a limit is the kernel's, and `why` tells of it. And
# Yama: keeper and daemon die together under ptrace_scope=1, as an ordinary user, and a held socket is not lost.
backends=qemu

boot1() {
    make_apps /srv/shop deploy
    hearth startup -u deploy >/dev/null 2>&1 || fail "startup"
    grep -qw memory /sys/fs/cgroup/system.slice/hearth-deploy-apps.service/cgroup.subtree_control ||
        fail "no memory controller: $(cat /sys/fs/cgroup/system.slice/hearth-deploy-apps.service/cgroup.subtree_control)"
    cat >/srv/shop/eater.sh <<'APP'
#!/bin/bash
# Doubles a text until somebody stops it.
text=0123456789abcdef
while :; do text="$text$text"; done
APP
    chmod 755 /srv/shop/eater.sh
    cat >/srv/shop/hearth.json <<'APP'
{"apps": [{"name": "eater", "script": "/srv/shop/eater.sh", "memory_max": "64M", "max_restarts": 1, "min_uptime": 60000}]}
APP
    deploy hearth start /srv/shop/worker.sh --name worker >/dev/null || fail "start"
    before="$(pids)"
    deploy hearth apply /srv/shop/hearth.json >/tmp/apply 2>&1 || note "apply: $(cat /tmp/apply)"
    within 60 out_of_memory || fail "why: $(deploy hearth why eater)"
    note "$(deploy hearth why eater | head -n 3)"
    deploy hearth delete eater >/dev/null
    unchanged "$before" "$(pids)" "an app's end for memory"

    for round in 1 2 3 4 5; do
        systemctl restart hearth-deploy || fail "restart $round: $(systemctl status --no-pager hearth-deploy)"
        unchanged "$before" "$(pids)" "restart $round"
        keeper="$(keeper_pid)"
        kill -9 "$keeper"
        within 20 another_keeper "$keeper" || fail "no keeper, round $round"
        unchanged "$before" "$(pids)" "SIGKILL of the keeper, round $round"
    done

    # The daemon, ended by the kernel for memory.
    daemon="$(daemon_pid)"
    echo 1000 >"/proc/$daemon/oom_score_adj"
    echo f >/proc/sysrq-trigger
    within 20 another_daemon "$daemon" || fail "the daemon was not killed, or nobody replaced it"
    unchanged "$before" "$(pids)" "the daemon's end for memory"

    echo 1 >/proc/sys/kernel/yama/ptrace_scope || fail "no Yama in this kernel"
    cat >/srv/shop/held.json <<'APP'
{"apps": [{"name": "held", "script": "/srv/shop/worker.sh", "listen": "9090", "reload": "overlap"}]}
APP
    deploy hearth apply /srv/shop/held.json >/tmp/apply 2>&1 || fail "apply: $(cat /tmp/apply)"
    inode="$(held_inode)"
    [ -n "$inode" ] || fail "nobody listens on 9090"
    keeper="$(keeper_pid)"
    kill -9 "$keeper" "$(daemon_pid)"
    within 20 another_keeper "$keeper" || fail "nobody after SIGKILL of both"
    [ "$(held_inode)" = "$inode" ] || fail "the held socket is another one: $inode, $(held_inode)"
    daemon="$(daemon_pid)"
    ls -l "/proc/$daemon/fd" | grep -q "socket:\[$inode\]" || fail "the daemon has not got the held socket back (Yama, FDSTORE)"
}

out_of_memory() { deploy hearth why eater | grep -q 'limit of 64 MiB'; }
another_keeper() { local now; now="$(keeper_pid)" && [ -n "$now" ] && [ "$now" != "$1" ] && [ "$now" -gt 0 ]; }
another_daemon() { local now; now="$(daemon_pid)" && [ -n "$now" ] && [ "$now" != "$1" ]; }
held_inode() { ss -ltneH 'sport = :9090' | sed -n 's/.*ino:\([0-9]*\).*/\1/p' | head -n 1; }
