# The machine that every case gets a copy of: a minimal Debian 12 with systemd, made once and kept in $cache.

suite=bookworm
packages=systemd,systemd-sysv,dbus,dbus-user-session,libpam-systemd,udev,procps,libstdc++6,cron,iproute2,sudo
base="$cache/$( (echo "$suite $packages" && cat "$here/machine/cache.sh" "$here/guest/hook") | sha256sum | cut -c1-12)"

cache_ready() { # cache_ready BACKEND
    [ ! -e "$base/ok-$1" ] || return 0
    mkdir -p "$base"
    exec 9>"$base/lock"
    flock 9
    [ -e "$base/ok-rootfs" ] || make_rootfs || return 1
    [ "$1" != qemu ] || [ -e "$base/ok-qemu" ] || make_disk || return 1
    touch "$base/ok-$1"
    exec 9>&-
}

make_rootfs() {
    echo "boot: making the root file system (once)"
    local root="$base/rootfs" unit
    rm -rf "$root"
    debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$base/debootstrap.log" 2>&1 ||
        { tail -n 20 "$base/debootstrap.log"; return 1; }
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man \
        "$root"/usr/share/locale
    mkdir -p "$root/payload" "$root/var/log/journal" "$root/etc/systemd/system/multi-user.target.wants"
    : >"$root/etc/machine-id"
    echo guest >"$root/etc/hostname"
    echo '127.0.0.1 localhost guest' >"$root/etc/hosts"
    echo 'LABEL=root / ext4 defaults 0 1' >"$root/etc/fstab"
    chroot "$root" useradd -m -u 1500 -s /bin/bash deploy
    install -m 755 "$here/guest/hook" "$root/usr/local/sbin/payload-hook"
    cat >"$root/etc/systemd/system/payload.service" <<'UNIT'
[Unit]
Description=Boot test payload
After=multi-user.target
[Service]
Type=simple
Environment=TERM=dumb
ExecStart=/usr/local/sbin/payload-hook
KillMode=process
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
[Install]
WantedBy=multi-user.target
UNIT
    ln -s ../payload.service "$root/etc/systemd/system/multi-user.target.wants/payload.service"
    # No login prompts, nothing that needs a network or modules that are not there.
    for unit in getty@.service serial-getty@.service console-getty.service getty.target systemd-timesyncd.service \
        apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
        dpkg-db-backup.timer proc-sys-fs-binfmt_misc.automount; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    touch "$base/ok-rootfs"
}

make_disk() {
    echo "boot: making the disk image (once)"
    local package
    mkdir -p "$base/kernel"
    package="$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/{print $2; exit}')"
    (cd "$base/kernel" && apt-get -qq download "$package" && dpkg-deb -x "$package"_*.deb x && mv x/boot/vmlinuz-* ../vmlinuz)
    rm -rf "$base/kernel" "$base/disk.img"
    truncate -s 1G "$base/disk.img"
    mke2fs -q -F -t ext4 -L root -d "$base/rootfs" "$base/disk.img"
}

# Whether this place lets us start containers at all; asked once.
container_works() {
    [ -z "${container_is_fine:-}" ] || return 0
    systemd-nspawn -q -D "$base/rootfs" --read-only --register=no --keep-unit --private-network true \
        </dev/null >"$base/probe.log" 2>&1 || return 1
    container_is_fine=yes
}
