# One machine for one case: made, booted as often as the case wants, thrown away.
#
# The guest speaks in lines `@@ WORD …` on its console: `@@ BOOTED N ID`, `@@ note …`, `@@ NEXT` (it reboots),
# `@@ CUT` (it wants its power cut), `@@ PASS`, `@@ FAIL why`.

machine_runs() ( # machine_runs BACKEND CASE-FILE; a subshell of its own: what it starts ends with it
    backend="$1" case_file="$2"
    work="$(mktemp -d "${TMPDIR:-/tmp}/hearth-boot.XXXXXX")"
    console="$work/console" machine='' groups='' seen=0
    trap 'power_off; [ "$keep" = 1 ] && echo "kept $work" || rm -rf "$work"' EXIT
    : >"$console"
    prepare && power_on && follow
)

prepare() {
    local mount
    mkdir -p "$work/payload"
    cp "$here"/guest/*.sh "$work/payload/"
    cp "$case_file" "$work/payload/case.sh"
    cp "$deb" "$work/payload/hearth.deb"
    [ -z "${BOOT_TEST_DEB_NEXT:-}" ] || cp "$BOOT_TEST_DEB_NEXT" "$work/payload/hearth-next.deb"
    if [ "$backend" = qemu ]; then
        cp --sparse=always --reflink=auto "$base/disk.img" "$work/disk.img"
        truncate -s $(($(du -sm "$work/payload" | cut -f1) + 16))M "$work/payload.img"
        mke2fs -q -F -t ext4 -L PAYLOAD -d "$work/payload" "$work/payload.img"
        return
    fi
    cp -a --reflink=auto "$base/rootfs" "$work/rootfs"
    : >"$work/rootfs/etc/fstab"
    # Two containers must not share the cgroups beside their own, so each starts from one of its own.
    while read -r mount; do
        mkdir -p "$mount/$(basename "$work")"
        groups="$groups $mount/$(basename "$work")"
    done < <(awk '$0 ~ / - cgroup2 / || / - cgroup .*name=systemd/ {print $5}' /proc/self/mountinfo)
}

power_on() {
    if [ "$backend" = qemu ]; then boot_qemu & else boot_nspawn & fi
    machine=$!
}

boot_qemu() {
    # -no-reboot: qemu ends when the guest resets, and a new one starts from the same disk: nothing of it is old.
    while :; do
        : >"$work/segment"
        qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1024 -nodefaults -display none \
            -monitor none -serial stdio -no-reboot -kernel "$base/vmlinuz" \
            -append "console=ttyS0 root=/dev/nvme0n1 rw panic=5 loglevel=4 mitigations=off audit=0 systemd.show_status=0" \
            -drive "file=$work/disk.img,if=none,id=d0,format=raw" -device nvme,drive=d0,serial=root \
            -drive "file=$work/payload.img,if=none,id=d1,format=raw,readonly=on" -device nvme,drive=d1,serial=payload \
            </dev/null >"$work/segment" 2>&1 &
        echo $! >"$work/qemu.pid"
        tail -q --pid=$! -s 0.1 -n +1 -f "$work/segment"
        wait $! || true
        grep -qa 'reboot: Restarting system' "$work/segment" || exit 0
    done >>"$console" 2>&1
}

boot_nspawn() {
    local group code bind
    for group in $groups; do echo "$BASHPID" >"$group/cgroup.procs"; done
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    bind=()
    # Programs of a debug build look for Swift's libraries where the toolchain has them.
    [ -z "${BOOT_TEST_BIND:-}" ] || bind=("--bind-ro=$BOOT_TEST_BIND")
    while :; do
        code=0
        systemd-nspawn -q --boot -D "$work/rootfs" --register=no --keep-unit --private-network --hostname=guest \
            --bind-ro="$work/payload:/payload" "${bind[@]}" --console=read-only -- systemd.show_status=0 \
            </dev/null || code=$?
        # 133: the guest asked for a reboot.
        [ "$code" = 133 ] || exit "$code"
    done >>"$console" 2>&1
}

# As a power cut does: nothing in the guest gets a last word.
power_off() {
    local group
    if [ -s "$work/qemu.pid" ]; then
        [ -z "$machine" ] || kill -9 "$machine" 2>/dev/null || true
        kill -9 "$(cat "$work/qemu.pid")" 2>/dev/null || true
        rm -f "$work/qemu.pid"
    fi
    if [ -n "$machine" ]; then
        kill -9 "$machine" 2>/dev/null || true
        wait "$machine" 2>/dev/null || true
        machine=''
    fi
    for group in $groups; do
        [ ! -e "$group/cgroup.kill" ] || echo 1 >"$group/cgroup.kill" 2>/dev/null || true
    done
    for group in $groups; do
        for _ in $(seq 1 30); do
            find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [ -d "$group" ] || break
            sleep 0.1
        done
    done
}

power_cut() {
    local group
    power_off
    for group in $groups; do mkdir -p "$group"; done
    power_on
}

# Reads the console until the case is decided.
follow() {
    local line limit=120 boots='' id
    [ "$backend" = nspawn ] || limit=420
    local end=$((SECONDS + limit))
    while [ $SECONDS -lt $end ]; do
        while [ "$(wc -l <"$console")" -gt "$seen" ]; do
            seen=$((seen + 1))
            line="$(sed -n "${seen}p" "$console" | tr -d '\r')"
            case "$line" in *'@@ '*) line="@@ ${line#*@@ }" ;; *) continue ;; esac
            case "$line" in
            '@@ BOOTED '*)
                id="${line##* }"
                case "$boots" in *"$id"*) echo "     the boot id did not change"; return 1 ;; esac
                boots="$boots $id"
                end=$((SECONDS + limit))
                ;;
            '@@ CUT') power_cut ;;
            '@@ PASS') return 0 ;;
            '@@ FAIL'*) echo "     ${line#@@ }"; sed -n "$((seen > 5 ? seen - 5 : 1)),\$p" "$console" | tail -n 100; return 1 ;;
            '@@ figure '*) echo "     ${line#@@ figure }" ;;
            *) [ "$verbose" = 0 ] || echo "     ${line#@@ }" ;;
            esac
        done
        sleep 0.1
    done
    echo "     no end after $limit s; the last lines of the console:"
    tail -n 40 "$console"
    return 1
}
