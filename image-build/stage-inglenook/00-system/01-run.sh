#!/bin/bash -e
# Lays the system's files over the tree: firewall, journal, clock, names, mounts. Everything is root's.

umask 022
tar --create --directory files --owner=root:0 --group=root:0 --mode='u=rwX,go=rX' . | tar --extract --directory "${ROOTFS_DIR}"
