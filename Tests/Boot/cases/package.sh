# The .deb: install, upgrade in place under running apps and requests, remove with the apps left or stopped.
backends=nspawn

boot1() {
    [ "$(readlink -f /usr/bin/pm2)" = /usr/bin/hearth ] || fail "pm2 is not an alternative: $(ls -l /usr/bin/pm2)"
    [ -s /usr/share/man/man1/hearth.1.gz ] || [ -s /etc/dpkg/dpkg.cfg.d/excludes ] || note "no manual page (excluded by dpkg?)"
    make_apps /srv/shop deploy
    hearth startup -u deploy >/dev/null 2>&1 || fail "startup"
    deploy hearth start /srv/shop/worker.sh --name worker -i 3 >/dev/null || fail "start"
    deploy hearth serve /srv/shop/site 8080 --name site >/dev/null || fail "serve"
    within 10 answers 8080 || fail "the site does not answer"
    before="$(pids)" daemon="$(daemon_pid)"

    : >/tmp/failures
    : >/tmp/requests
    (while :; do
        answers 8080 || echo x >>/tmp/failures
        echo x >>/tmp/requests
    done) &
    load=$!
    within 10 test -s /tmp/requests || fail "no load"
    # The same program under a newer number: what counts is that its file is another.
    cp -r /payload/hearth.deb /tmp/next.deb
    rebuild /tmp/next.deb 9.9.9 || fail "the newer package cannot be made"
    dpkg -i /tmp/next.deb >/tmp/dpkg 2>&1 || fail "upgrade: $(cat /tmp/dpkg)"
    within 10 not_deleted || fail "the daemon still runs the old file: $(readlink "/proc/$(daemon_pid)/exe")"
    kill "$load"
    unchanged "$before" "$(pids)" "upgrade of the package"
    [ "$(daemon_pid)" = "$daemon" ] || note "the daemon has another pid: it was $daemon, is $(daemon_pid)"
    [ ! -s /tmp/failures ] || fail "$(wc -l </tmp/failures) of $(wc -l </tmp/requests) requests failed during the upgrade"
    figure "upgrade of the package: 0 of $(wc -l </tmp/requests) requests failed"
    systemctl restart hearth-deploy || fail "restart"
    unchanged "$before" "$(pids)" "restart after the upgrade"

    # Removed: the apps run on. Installed again: they are adopted.
    dpkg -r hearth >/tmp/dpkg 2>&1 || fail "remove: $(cat /tmp/dpkg)"
    for pid in $before; do kill -0 "$pid" 2>/dev/null || fail "app $pid ended with the package"; done
    [ "$(systemctl is-enabled hearth-deploy 2>/dev/null)" != enabled ] || fail "the unit would start a program that is gone"
    dpkg -i /payload/hearth.deb >/tmp/dpkg 2>&1 || fail "install again: $(cat /tmp/dpkg)"
    hearth startup -u deploy >/tmp/startup 2>&1 || fail "startup again: $(cat /tmp/startup)"
    unchanged "$before" "$(pids)" "removal and new installation"
    HEARTH_REMOVE=stop dpkg --purge hearth >/tmp/dpkg 2>&1 || fail "purge: $(cat /tmp/dpkg)"
    for pid in $before; do kill -0 "$pid" 2>/dev/null && fail "app $pid was not stopped: $(cat /tmp/dpkg)"; done
    [ ! -e /etc/systemd/system/hearth-deploy.service ] || fail "the unit is left after a purge"
    [ -e /home/deploy/.hearth/state/desired.json ] || fail "the user's list went with the package"
}

not_deleted() { case "$(readlink "/proc/$(daemon_pid)/exe")" in *deleted*) return 1 ;; *) return 0 ;; esac; }

rebuild() { # rebuild FILE VERSION
    rm -rf /tmp/package
    dpkg-deb -R "$1" /tmp/package && sed -i "s/^Version:.*/Version: $2/" /tmp/package/DEBIAN/control &&
        dpkg-deb -Znone -b /tmp/package "$1" >/dev/null
}
