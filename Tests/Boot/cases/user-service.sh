# A lingering service of the user's own systemd, without root; and what happens when lingering is off.
backends=nspawn

in_session() { XDG_RUNTIME_DIR=/run/user/1500 deploy "$@"; }

boot1() {
    make_apps /srv/shop deploy
    # What an administrator allows once; a user who is logged in may do it without.
    loginctl enable-linger deploy || fail "enable-linger"
    within 20 test -S /run/user/1500/systemd/private || fail "no user manager"
    deploy hearth start /srv/shop/worker.sh --name worker >/dev/null || fail "start"
    before="$(pids)"
    in_session hearth startup || fail "startup as an ordinary user"
    [ "$(unit_of_daemon)" = hearth.service ] || fail "the daemon is in '$(unit_of_daemon)'"
    unchanged "$before" "$(pids)" "moving into the unit"
    in_session systemd-analyze verify --man=no --user /home/deploy/.config/systemd/user/hearth.service >/tmp/verify 2>&1 ||
        fail "verify: $(cat /tmp/verify)"
    in_session systemctl --user restart hearth || fail "restart"
    unchanged "$before" "$(pids)" "systemctl --user restart"
}

boot2() {
    within 20 online 1 || fail "not restored: $(deploy hearth list)"
    [ "$(unit_of_daemon)" = hearth.service ] || fail "the daemon is in '$(unit_of_daemon)'"
    within 10 sh -c "grep -q 'user@1500.service/app.slice/hearth-apps.service/hearth-' /proc/$(pids | tr -d ' ')/cgroup" ||
        fail "the app is in $(cat "/proc/$(pids | tr -d ' ')/cgroup")"
    # The negative control: without lingering nothing is started before a login.
    loginctl disable-linger deploy
}

boot3() {
    sleep 1
    if within 5 online 1; then fail "it was restored although lingering is off: this test cannot fail"; fi
    deploy hearth doctor --json >/tmp/doctor 2>&1 && fail "doctor finds nothing"
    grep -q linger /tmp/doctor || fail "doctor does not say that lingering is off: $(cat /tmp/doctor)"
}
