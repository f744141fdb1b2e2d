# Root's own apps, 100 of them: how long after the unit's start all are online. And the negative control: not enabled.
backends=nspawn

boot1() {
    make_apps /srv/shop root
    hearth start /srv/shop/worker.sh --name worker -i 100 >/dev/null || fail "start"
    before="$(pids hearth)"
    hearth startup || fail "startup"
    unchanged "$before" "$(pids hearth)" "moving into the unit"
    started=$(date +%s%N)
    hearth drill --daemon --json >/tmp/drill || fail "drill --daemon: $(cut -c1-2000 /tmp/drill)"
    figure "drill --daemon, 100 apps: $((($(date +%s%N) - started) / 1000000)) ms"
    started=$(date +%s%N)
    hearth doctor >/tmp/doctor || note "doctor: $(cat /tmp/doctor)"
    figure "doctor, 100 apps: $((($(date +%s%N) - started) / 1000000)) ms"
}

boot2() {
    within 20 online 100 hearth || fail "not restored: $(hearth list | tail -n 5)"
    # The unit's start to the last "online", both on the machine's clock.
    local begun last
    begun=$(date -d "$(systemctl show -P ExecMainStartTimestamp hearth-root)" +%s)
    begun=$(($(systemctl show -P ExecMainStartTimestampMonotonic hearth-root) / 1000))
    last=$(sed -n 's/.*"startedAt":\([0-9]*\).*/\1/p' <<<"$(hearth list --json | tr '{' '\n')" | sort -n | tail -n 1)
    monotonic=$(awk '{print int($1 * 1000)}' /proc/uptime)
    now=$(date +%s%3N)
    figure "unit started to 100 apps online: $((last - now + monotonic - begun)) ms"
    hearth list --json | grep -q '"restarts":[1-9]' && fail "an app was restarted"
    systemctl disable -q hearth-root
}

boot3() {
    sleep 1
    if within 3 online 100 hearth; then fail "it was restored although the unit is not enabled: this test cannot fail"; fi
    hearth doctor --json >/tmp/doctor 2>&1 && fail "doctor finds nothing"
    grep -q 'not enabled\|disabled' /tmp/doctor || fail "doctor does not say that the unit is not enabled: $(cat /tmp/doctor)"
}
