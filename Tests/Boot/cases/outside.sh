# Paper 4: the unit is enabled and "inactive (dead)" while everything runs outside it, in a login session.
backends=nspawn

boot1() {
    make_apps /srv/shop deploy
    deploy hearth start /srv/shop/worker.sh --name worker >/dev/null || fail "start"
    hearth startup -u deploy >/dev/null 2>&1 || fail "startup"
    deploy hearth kill >/dev/null || fail "kill"
    within 5 sh -c '[ "$(systemctl is-active hearth-deploy)" = inactive ]' || fail "unit after kill"
    # As over SSH: a session of logind's, and a daemon in it. The user may not start the system's unit.
    su - deploy -c 'hearth start /srv/shop/worker.sh --name other' >/tmp/start 2>&1 || fail "start in a session: $(cat /tmp/start)"
    grep -q 'outside hearth-deploy.service' /tmp/start || fail "nothing was said: $(cat /tmp/start)"
    [ -z "$(unit_of_daemon)" ] || fail "the daemon is in '$(unit_of_daemon)'"
    # The killed one is in the list, too, without a pid.
    before="$(pids | tr ' ' '\n' | grep -vx 0 | tr '\n' ' ')"
    deploy hearth doctor --json >/tmp/doctor 2>&1 && fail "doctor finds nothing"
    grep -q 'hearth-deploy.service' /tmp/doctor || fail "doctor does not name the unit: $(cat /tmp/doctor)"
    note "doctor: $(cut -c1-600 /tmp/doctor)"
    # The way out, one command.
    systemctl start hearth-deploy || fail "systemctl start"
    within 10 in_unit || fail "the daemon is in '$(unit_of_daemon)'"
    pids | tr ' ' '\n' | grep -qx "${before% }" || fail "systemctl start: the pid was $before, is $(pids)"
    hearth startup -u deploy >/tmp/startup 2>&1 || fail "startup again: $(cat /tmp/startup)"
    for pid in $before; do
        grep -q hearth-deploy-apps.service "/proc/$pid/cgroup" || fail "$pid is in $(grep ^0:: "/proc/$pid/cgroup")"
    done
}
in_unit() { [ "$(unit_of_daemon)" = hearth-deploy.service ]; }

boot2() {
    within 10 online 2 || fail "not restored: $(deploy hearth list)"
    # From a directory that the user cannot read, with root's HOME: works, or says exactly what is wrong.
    mkdir -p /root/secret && chmod 700 /root /root/secret && cd /root/secret
    sudo -u deploy hearth list >/tmp/list 2>&1 || fail "sudo -u deploy hearth list: $(cat /tmp/list)"
    grep -q worker /tmp/list || fail "sudo -u deploy hearth list: $(cat /tmp/list)"
    HOME=/root sudo --preserve-env=HOME -u deploy hearth list >/tmp/list 2>&1
    grep -q "HOME is '/root', which belongs to 'root', and you are 'deploy'" /tmp/list || fail "with another user's HOME: $(cat /tmp/list)"
    note "another user's HOME: $(head -n 2 /tmp/list)"
}
