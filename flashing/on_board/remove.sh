#!/bin/sh
# Takes the agent off this machine: its service, its files with the device's identity, and what install.sh changed, as
# it is written in /etc/lamplight/changed. Run as root. A second run does nothing. ROOT as for install.sh.
set -eu
ROOT=${1:-}
changed="$ROOT/etc/lamplight/changed"
did() { [ -f "$changed" ] && grep -qxF "$1" "$changed"; }

systemctl disable --now lamplight.service 2>/dev/null || true
systemctl disable --now lamplight-users.socket 2>/dev/null || true
for unit in lamplight.service lamplight-users.socket lamplight-users@.service; do
    rm -f "$ROOT/etc/systemd/system/$unit"
done
rm -f "$ROOT/etc/modules-load.d/lamplight.conf"
rm -f "$ROOT/etc/systemd/system.conf.d/lamplight.conf"
for folder in etc/modules-load.d etc/systemd/system etc/systemd/system.conf.d; do
    if did "folder $folder"; then rmdir "$ROOT/$folder" 2>/dev/null || true; fi
done
systemctl daemon-reload || true
rm -rf "$ROOT/opt/lamplight" "$ROOT/opt/lamplight.new" "$ROOT/var/lib/lamplight"
if did "folder opt"; then rmdir "$ROOT/opt" 2>/dev/null || true; fi

if did umask && [ -f "$ROOT/etc/fstab" ]; then
    sed -i '/[[:space:]]vfat[[:space:]]/s/defaults,umask=0077/defaults/' "$ROOT/etc/fstab"
fi
config="$ROOT/boot/firmware/config.txt"
if did i2c && [ -f "$config" ]; then
    # The three lines that install.sh wrote, and no others like them.
    python3 - "$config" <<'PYTHON'
import pathlib, sys
path = pathlib.Path(sys.argv[1])
text = path.read_text(errors="surrogateescape")
path.write_text(text.replace("[all]\n# For Lamplight.\ndtparam=i2c_arm=on\n", ""), errors="surrogateescape")
PYTHON
fi
if did "user lamplight"; then
    if id -u lamplight >/dev/null 2>&1; then userdel lamplight; fi
else
    for group in gpio i2c; do
        if did "member $group"; then gpasswd -d lamplight "$group" >/dev/null || true; fi
    done
fi
rm -rf "$ROOT/etc/lamplight" "$ROOT/boot/firmware/lamplight"
sync
