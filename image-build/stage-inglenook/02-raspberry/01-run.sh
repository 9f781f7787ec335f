#!/bin/bash -e
# What makes sense on a Raspberry Pi alone: the firmware's configuration, the kernel's command line, mounts.

umask 022
tar --create --directory files/tree --owner=root:0 --group=root:0 --mode='u=rwX,go=rX' . | tar --extract --directory "${ROOTFS_DIR}"

firmware="${ROOTFS_DIR}/boot/firmware"
if ! grep -q '^# Inglenook$' "${firmware}/config.txt"; then
	cat files/config.txt >>"${firmware}/config.txt"
fi

# No console on the serial port: it is a meter's. The system does not grow over the whole card: the data is beside it.
sed -i -E -e 's/console=(serial0|ttyAMA0),[0-9]+ ?//' -e 's/ resize( |$)/\1/' "${firmware}/cmdline.txt"

# The card is written as little as can be: no time of a read is kept, and what nobody waits for is written once a minute
# (the stores and the spool do wait for what is theirs). An error makes it read-only, and never worse. /tmp is memory, as
# Debian has it.
fstab="${ROOTFS_DIR}/etc/fstab"
options=defaults,noatime,lazytime,commit=60,errors=remount-ro,x-systemd.growfs
sed -i -E "s|^(ROOTDEV\s+/\s+ext4\s+)defaults,noatime(\s)|\1${options}\2|" "${fstab}"
grep -q 'errors=remount-ro' "${fstab}" # else pi-gen's fstab has another form

# What is the household's lies on a partition of its own, which the first boot makes (systemd/inglenook-partition.service):
# neither fills the other, and a system that breaks leaves it whole. Without it, or the boot partition, the box starts too:
# nobody could mend it where it stopped. What uses them waits for them nevertheless.
anyhow=nofail,x-systemd.before=local-fs.target
sed -i -E "s|^(BOOTDEV\s+/boot/firmware\s+vfat\s+defaults)(\s)|\1,${anyhow}\2|" "${fstab}"
grep -q "/boot/firmware.*${anyhow}" "${fstab}"
if ! grep -q '^LABEL=inglenook-data ' "${fstab}"; then
	options=defaults,noatime,nosuid,nodev,noexec,errors=remount-ro,${anyhow}
	echo "LABEL=inglenook-data  /var/lib/inglenook  ext4  ${options}  0  2" >>"${fstab}"
fi
