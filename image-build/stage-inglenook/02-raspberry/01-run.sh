#!/bin/bash -e
# What makes sense on a Raspberry Pi alone: the firmware's configuration, the kernel's command line, mounts.

umask 022
tar --create --directory files/tree --owner=root:0 --group=root:0 --mode='u=rwX,go=rX' . | tar --extract --directory "${ROOTFS_DIR}"

firmware="${ROOTFS_DIR}/boot/firmware"
if ! grep -q '^# Inglenook$' "${firmware}/config.txt"; then
	cat files/config.txt >>"${firmware}/config.txt"
fi

# No console on the serial port: it is a meter's.
sed -i -E 's/console=(serial0|ttyAMA0),[0-9]+ ?//' "${firmware}/cmdline.txt"

# The card is written as little as can be: no time of a read is kept, and what nobody waits for is written once a minute
# (the stores and the spool do wait for what is theirs). An error makes it read-only, and never worse. /tmp is memory, as
# Debian has it.
sed -i -E 's|^(ROOTDEV\s+/\s+ext4\s+)defaults,noatime(\s)|\1defaults,noatime,lazytime,commit=60,errors=remount-ro\2|' "${ROOTFS_DIR}/etc/fstab"
grep -q 'errors=remount-ro' "${ROOTFS_DIR}/etc/fstab" # else pi-gen's fstab has another form
