#!/bin/bash -e
# pi-gen: this stage begins where the one before it ended.

if [ ! -d "${ROOTFS_DIR}" ]; then
	copy_previous
fi
