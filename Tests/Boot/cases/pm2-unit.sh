# The papers' own unit, verbatim but for the path: Type=forking, PIDFile, 'pm2 resurrect', KillMode as it is by default.
backends=nspawn

pm2() { deploy pm2 "$@"; }
pm2_pids() { deploy pm2 jlist | tr ',' '\n' | sed -n 's/.*"pid":\([0-9]*\).*/\1/p' | tr '\n' ' '; }

boot1() {
    make_apps /srv/shop deploy
    cat >/etc/systemd/system/pm2-deploy.service <<'UNIT'
[Unit]
Description=PM2 process manager
Documentation=https://pm2.keymetrics.io/
After=network.target

[Service]
Type=forking
User=deploy
LimitNOFILE=infinity
LimitNPROC=infinity
LimitCORE=infinity
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=PM2_HOME=/home/deploy/.pm2
PIDFile=/home/deploy/.pm2/pm2.pid
Restart=on-failure

ExecStart=/usr/bin/pm2 resurrect
ExecReload=/usr/bin/pm2 reload all
ExecStop=/usr/bin/pm2 kill

[Install]
WantedBy=multi-user.target
UNIT
    systemctl daemon-reload
    systemctl enable -q --now pm2-deploy || fail "the papers' unit does not start"
    pm2 start /srv/shop/worker.sh --name worker -i 2 >/dev/null || fail "pm2 start"
    pm2 save >/dev/null || fail "pm2 save"
    main="$(systemctl show -P MainPID pm2-deploy)"
    grep -q pm2-deploy.service "/proc/$main/cgroup" || fail "the main process $main is not of the unit"
    deploy env HEARTH_HOME=/home/deploy/.pm2 hearth doctor --json >/tmp/doctor 2>&1 && fail "doctor finds nothing"
    grep -q 'KillMode' /tmp/doctor || fail "doctor does not warn of KillMode: $(cut -c1-1500 /tmp/doctor)"
    before="$(pm2_pids)"
    pm2_startup >/tmp/startup 2>&1 || fail "pm2 startup: $(cat /tmp/startup)"
    unchanged "$before" "$(pm2_pids)" "pm2 startup"
    [ "$(systemctl show -P Type pm2-deploy)" = notify ] || fail "the unit is of type $(systemctl show -P Type pm2-deploy)"
    systemctl is-active -q pm2-deploy || fail "the unit is $(systemctl is-active pm2-deploy)"
    kill -9 "$(systemctl show -P MainPID pm2-deploy)" || fail "no main process"
    within 10 pm2 ping || fail "no daemon after SIGKILL"
    unchanged "$before" "$(pm2_pids)" "SIGKILL of the unit's main process"
    systemctl restart pm2-deploy || fail "restart"
    unchanged "$before" "$(pm2_pids)" "restart"
}
pm2_startup() { env PATH="$PATH:/usr/bin" /usr/bin/pm2 startup systemd -u deploy --hp /home/deploy; }

boot2() {
    within 10 two_online || fail "not restored: $(pm2 list)"
    grep -c . /home/deploy/.pm2/dump.pm2 >/dev/null || fail "no dump"
    pm2 delete all >/dev/null
    systemctl stop pm2-deploy || fail "stop"
    # What was saved comes back with the next start, as PM2 has it.
    systemctl start pm2-deploy || fail "start"
    within 10 two_online || fail "not restored from the dump: $(pm2 list)"
    env PATH="$PATH:/usr/bin" /usr/bin/pm2 unstartup systemd -u deploy --hp /home/deploy >/tmp/unstartup || fail "unstartup: $(cat /tmp/unstartup)"
    [ ! -e /etc/systemd/system/pm2-deploy.service ] || fail "the unit is still there"
}
two_online() { [ "$(pm2 jlist | grep -o '"status":"online"' | wc -l)" = 2 ]; }
