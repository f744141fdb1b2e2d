# A new user follows docs/boot.md, word for word, on a fresh machine.
backends=nspawn

# The commands of the page, in its order.
commands() { sed -n 's/^\$ \(.*[^ ]\)  # not run: .*$/\1/p' /payload/boot.md; }

boot1() {
    make_apps /srv/shop deploy
    echo 'deploy ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/deploy
    deploy hearth start /srv/shop/worker.sh --name worker >/dev/null || fail "start"
    deploy hearth serve /srv/shop/site 8080 --name site >/dev/null || fail "serve"
    [ "$(commands | wc -l)" = 4 ] || fail "the page has other commands: $(commands)"
    commands | head -n 3 >/tmp/commands
    while read -r command; do
        deploy bash -c "$command" >/tmp/output 2>&1 </dev/null || fail "'$command' ends with $?: $(cat /tmp/output)"
        note "'$command': $(tail -n 1 /tmp/output)"
    done </tmp/commands
}

boot2() {
    within 10 online 2 || fail "not restored: $(deploy hearth list)"
    deploy hearth drill --daemon --check http://127.0.0.1:8080/=200 --report /tmp/report.md >/tmp/output 2>&1 ||
        fail "drill: $(cat /tmp/output)"
    grep -q worker /tmp/report.md || fail "the report says nothing: $(cat /tmp/report.md)"
    deploy hearth doctor >/tmp/output 2>&1 || fail "doctor finds something: $(cat /tmp/output)"
    command="$(commands | tail -n 1)"
    before="$(pids)"
    deploy bash -c "$command" >/tmp/output 2>&1 </dev/null || fail "'$command': $(cat /tmp/output)"
    unchanged "$before" "$(pids)" "unstartup"
}
