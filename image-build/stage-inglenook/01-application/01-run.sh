#!/bin/bash -e
# Lends the wheels to the tree, for the time that their installation takes, and lays down the units with what they stand on.

umask 022
install -d "${ROOTFS_DIR}/opt/inglenook-wheels" "${ROOTFS_DIR}/usr/local/lib/systemd/system"
cp files/wheels/* "${ROOTFS_DIR}/opt/inglenook-wheels/"
cp -r files/systemd/inglenook-* "${ROOTFS_DIR}/usr/local/lib/systemd/system/"
install -D --mode=0644 files/systemd/sysusers.d/inglenook.conf "${ROOTFS_DIR}/usr/lib/sysusers.d/inglenook.conf"
install -D --mode=0644 files/systemd/tmpfiles.d/inglenook.conf "${ROOTFS_DIR}/usr/lib/tmpfiles.d/inglenook.conf"
install -D --mode=0644 files/systemd/rules.d/99-inglenook.rules "${ROOTFS_DIR}/usr/lib/udev/rules.d/99-inglenook.rules"
install -D --mode=0644 files/systemd/defaults/inglenook.toml "${ROOTFS_DIR}/usr/share/inglenook/inglenook.toml"
install --mode=0755 files/inglenook "${ROOTFS_DIR}/usr/local/bin/inglenook"
