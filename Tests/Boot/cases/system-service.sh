# A service of the system for an ordinary user: what ran runs again after a reboot, started by systemd alone.
backends='nspawn qemu'

boot1() {
    make_apps /srv/shop deploy
    deploy hearth start /srv/shop/worker.sh --name worker -i 2 >/dev/null || fail "start"
    deploy hearth serve /srv/shop/site 8080 --name site >/dev/null || fail "serve"
    within 10 online 3 || fail "not online before startup"
    before="$(pids)"
    hearth startup -u deploy || fail "startup"
    [ "$(unit_of_daemon)" = hearth-deploy.service ] || fail "the daemon is in '$(unit_of_daemon)'"
    unchanged "$before" "$(pids)" "moving into the unit"
    systemd-analyze verify --man=no /etc/systemd/system/hearth-deploy.service /etc/systemd/system/hearth-deploy-apps.service \
        >/tmp/verify 2>&1 || fail "systemd-analyze verify: $(cat /tmp/verify)"
    [ ! -s /tmp/verify ] || fail "systemd-analyze verify: $(cat /tmp/verify)"
    for pid in $before; do
        grep -q '^0::/system.slice/hearth-deploy-apps.service/hearth-' "/proc/$pid/cgroup" ||
            fail "app $pid is in $(grep ^0:: "/proc/$pid/cgroup")"
    done
    within 5 sh -c 'systemctl show -P StatusText hearth-deploy | grep -q "3 of 3 apps online"' ||
        fail "status text: $(systemctl show -P StatusText hearth-deploy)"

    # Nothing that happens to the manager touches an app.
    for round in 1 2 3 4 5; do
        systemctl restart hearth-deploy || fail "restart $round"
        unchanged "$before" "$(pids)" "restart $round"
    done
    for round in 1 2 3; do
        keeper="$(keeper_pid)"
        kill -9 "$keeper"
        within 10 another_keeper "$keeper" || fail "no keeper after SIGKILL $round"
        within 5 systemctl is-active -q hearth-deploy || fail "unit is $(systemctl is-active hearth-deploy)"
        kill -9 "$(daemon_pid)"
        within 10 deploy hearth ping || fail "no daemon after SIGKILL $round"
        unchanged "$before" "$(pids)" "SIGKILL $round"
        keeper="$(keeper_pid)"
        kill -9 "$keeper" "$(daemon_pid)"
        within 10 another_keeper "$keeper" || fail "nobody after SIGKILL of both, round $round"
        unchanged "$before" "$(pids)" "SIGKILL of both, round $round"
    done
    answers 8080 || fail "the site does not answer"
}

another_keeper() { local now; now="$(keeper_pid)" && [ -n "$now" ] && [ "$now" != "$1" ] && [ "$now" -gt 0 ]; }

boot2() {
    within 10 online 3 || fail "not restored: $(deploy hearth list)"
    [ "$(unit_of_daemon)" = hearth-deploy.service ] || fail "the daemon is in '$(unit_of_daemon)'"
    within 5 answers 8080 || fail "the site does not answer"
    for pid in $(pids); do
        grep -q '^0::/system.slice/hearth-deploy-apps.service/hearth-' "/proc/$pid/cgroup" ||
            fail "app $pid is in $(grep ^0:: "/proc/$pid/cgroup")"
        [ "$(stat -c %U "/proc/$pid")" = deploy ] || fail "app $pid runs as $(stat -c %U "/proc/$pid")"
    done

    # A stop is graceful, and a start brings back what it ended.
    systemctl stop hearth-deploy || fail "stop"
    [ -z "$(pgrep -u deploy -f worker.sh)" ] || fail "apps live after systemctl stop"
    [ "$(cat /home/deploy/.hearth/logs/worker-out*.log | grep -c 'stopped by SIGTERM')" -ge 2 ] || fail "the stop was not graceful"
    systemctl start hearth-deploy || fail "start"
    within 10 online 3 || fail "not back after systemctl start: $(deploy hearth list)"

    # What was killed on purpose stays down when a command only needs a daemon.
    deploy hearth kill >/dev/null || fail "kill"
    within 5 sh -c '[ "$(systemctl is-active hearth-deploy)" = inactive ]' || fail "unit after kill: $(systemctl is-active hearth-deploy)"
    hearth unstartup -u deploy || fail "unstartup"
    [ ! -e /etc/systemd/system/hearth-deploy.service ] || fail "the unit is still there"
}
