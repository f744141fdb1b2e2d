# Runs in the guest on every boot, as root: the function of the case that this boot is for.
set -u
. /payload/lib.sh
. /payload/case.sh

mkdir -p /var/lib/boot-test
number=$(($(cat /var/lib/boot-test/boots 2>/dev/null || echo 0) + 1))
echo "$number" >/var/lib/boot-test/boots
echo "@@ BOOTED $number $(cat /proc/sys/kernel/random/boot_id)"

if [ "$number" = 1 ]; then
    dpkg -i /payload/hearth.deb >/tmp/dpkg.log 2>&1 || fail "dpkg -i: $(tail -n 3 /tmp/dpkg.log)"
fi
systemctl is-system-running --wait >/dev/null 2>&1 || true
"boot$number"

if declare -F "boot$((number + 1))" >/dev/null; then
    if [ "${power_cut:-no}" = yes ]; then
        echo "@@ CUT"
        sleep 60
        fail "the power was not cut"
    fi
    echo "@@ NEXT"
    sync
    systemctl reboot
else
    echo "@@ PASS"
    systemctl poweroff
fi
