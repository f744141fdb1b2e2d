# The power is cut in the middle of changes: the list is whole after the boot, and what an answered command did is in it.
backends='nspawn qemu'
power_cut=yes

boot1() {
    make_apps /srv/shop deploy
    hearth startup -u deploy >/dev/null 2>&1 || fail "startup"
    for round in $(seq 1 15); do
        deploy hearth start /srv/shop/worker.sh --name "app$round" >/tmp/start 2>&1 || fail "start: $(cat /tmp/start)"
        ! grep -q 'will not survive' /tmp/start || fail "not durable: $(cat /tmp/start)"
        [ $((round % 3)) != 0 ] || deploy hearth delete "app$round" >/dev/null || fail "delete"
        [ $((round % 5)) != 0 ] || deploy hearth save >/dev/null || fail "save"
    done
    # What is done when the current goes was not answered yet: it may be in the list or not, but whole.
    (while :; do deploy hearth start /srv/shop/worker.sh --name late >/dev/null; deploy hearth delete late >/dev/null; done) &
    (while :; do deploy hearth save >/dev/null; done) &
    within 5 sh -c 'ls /home/deploy/.hearth/state/snapshots | grep -q .' || fail "no snapshot"
}

boot2() {
    within 30 deploy hearth ping || fail "no daemon: $(deploy hearth doctor)"
    for round in 1 2 4 5 7 8 10 11 13 14; do
        within 20 is_online "app$round" || fail "app$round is not back: $(deploy hearth list)"
    done
    for round in 3 6 9 12 15; do
        deploy hearth show "app$round" >/dev/null 2>&1 && fail "app$round was deleted before the cut and is back"
    done
    deploy hearth list --json >/tmp/list || fail "list"
    grep -q 'set aside\|damaged' /tmp/list && fail "a damaged list: $(cut -c1-500 /tmp/list)"
    [ -z "$(find /home/deploy/.hearth/state -name '*.new' -size +0 -mmin -0)" ] || note "a file was cut in the middle and is not used"
}
is_online() { deploy hearth show "$1" --json | grep -q '"status":"online"'; }
