#!/bin/bash -e
# Lends the release to the tree, for the time that its installation takes. What systemd and udev look for lies in the
# release, behind links, so that an update exchanges the whole at once.

umask 022
cp -r files/release "${ROOTFS_DIR}/opt/inglenook-incoming"
link() { # TARGET NAME
	install -d "$(dirname "${ROOTFS_DIR}$2")"
	ln -sfnT "$1" "${ROOTFS_DIR}$2"
}
rmdir "${ROOTFS_DIR}/usr/local/lib/systemd/system" 2>/dev/null || true
link /opt/inglenook/systemd /usr/local/lib/systemd/system
link /opt/inglenook/systemd/sysusers.d/inglenook.conf /usr/lib/sysusers.d/inglenook.conf
link /opt/inglenook/systemd/tmpfiles.d/inglenook.conf /usr/lib/tmpfiles.d/inglenook.conf
link /opt/inglenook/systemd/rules.d/99-inglenook.rules /usr/lib/udev/rules.d/99-inglenook.rules
install -d "${ROOTFS_DIR}/var/lib/inglenook" # where the data partition goes, and what sandboxes name before it is there
install --mode=0755 files/inglenook "${ROOTFS_DIR}/usr/local/bin/inglenook"
