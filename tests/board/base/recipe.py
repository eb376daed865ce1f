"""What the base image is made of: packages, kernel modules, sizes. Data only; a change here makes a new image.

The image has the layout of Raspberry Pi OS (Trixie, 64 bits) and Debian's packages. What the Raspberry Pi's own
packages bring there, and this project relies on, is in `system.py`.
"""

SUITE = "trixie"
ARCHITECTURE = "arm64"
MIRROR = "http://deb.debian.org/debian"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

PACKAGES = (
    *("linux-image-arm64", "systemd", "systemd-sysv", "udev", "kmod", "dbus", "cloud-init", "python3"),
    *("base-files", "base-passwd", "passwd", "login", "sudo", "hostname", "procps", "iproute2", "openssh-server"),
    *("bash", "dash", "coreutils", "debianutils", "findutils", "sed", "grep", "mawk", "tar", "gzip", "xz-utils"),
    *("util-linux", "mount", "e2fsprogs", "dosfstools", "libc-bin", "busybox-static"),
)
# Half of the image, and of the time it takes to write one.
LEFT_OUT = ("doc", "man", "info", "locale", "i18n", "lintian")

# In this order: what the root file system needs before there is one. The others are loaded by udev.
EARLY_MODULES = ("bcm2835", "sdhci_iproc", "mmc_block", "crc32c_generic", "ext4")
# As the kernel names it, and as Raspberry Pi OS does.
DEVICE_TREE = ("bcm2837-rpi-3-b.dtb", "bcm2710-rpi-3-b.dtb")

MIB = 1024 * 1024
# QEMU takes a card whose size is a power of two.
CARD_SIZE = 2048 * MIB
BOOT_START = 8 * MIB
BOOT_SIZE = 256 * MIB
DISK_ID = 0x5EED0001

# `serial0` is what the firmware replaces by the name of the port.
_CMDLINE = (
    f"console=serial0,115200 console=tty1 root=PARTUUID={DISK_ID:08x}-02 rootfstype=ext4 rootwait "
    "net.ifnames=0 ds=nocloud;i=rpi-imager-0\n"
)
BOOT_FILES = {
    "config.txt": b"# For more options see the manual\n#dtparam=i2c_arm=on\ndtparam=audio=on\n[all]\n",
    "cmdline.txt": _CMDLINE.encode(),
    "user-data": b"#cloud-config\n",
    "meta-data": b"instance-id: rpios-image\n",
    "network-config": b"# nothing\n",
}
