# A daemon or a keeper that is stopped (SIGSTOP) is replaced; apps keep their pids.
backends=nspawn

boot1() {
    make_apps /srv/shop deploy
    deploy hearth start /srv/shop/worker.sh --name worker -i 3 >/dev/null || fail "start"
    # Quicker than by default, so that the case ends in seconds: the drop-in is an administrator's.
    mkdir -p /etc/systemd/system/hearth-deploy.service.d
    printf '[Service]\nEnvironment=HEARTH_HEARTBEAT_MS=300\nWatchdogSec=20\n' >/etc/systemd/system/hearth-deploy.service.d/quick.conf
    hearth startup -u deploy >/dev/null 2>&1 || fail "startup"
    before="$(pids)"
    hung="$(daemon_pid)"
    kill -STOP "$hung"
    within 20 another_daemon "$hung" || fail "the stopped daemon $hung was not replaced"
    unchanged "$before" "$(pids)" "SIGSTOP of the daemon"
    keeper="$(keeper_pid)"
    kill -STOP "$keeper"
    started=$SECONDS
    within 60 another_main "$keeper" || fail "the stopped keeper $keeper was not replaced"
    figure "a stopped keeper was replaced after $((SECONDS - started)) s (WatchdogSec=20)"
    within 10 deploy hearth ping || fail "no daemon after the keeper's replacement"
    unchanged "$before" "$(pids)" "SIGSTOP of the keeper"
    # By the kernel, for memory.
    kill -9 "$(daemon_pid)" && within 10 deploy hearth ping || fail "no daemon after SIGKILL"
    unchanged "$before" "$(pids)" "SIGKILL of the daemon"
}
another_daemon() { local now; now="$(timeout 3 setpriv --reuid=1500 --regid=1500 --clear-groups env -i HOME=/home/deploy /usr/bin/hearth daemon status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')"; [ -n "$now" ] && [ "$now" != "$1" ]; }
another_main() { local now; now="$(systemctl show -P MainPID hearth-deploy)"; [ "$now" -gt 1 ] && [ "$now" != "$1" ] && systemctl is-active -q hearth-deploy; }
