#!/bin/bash -e
# Nobody signs in on a box: the user that pi-gen makes is locked, and nothing offers a way in. What calls out for itself goes.
passwd --quiet --lock root
for user in $(getent passwd 1000 | cut -d : -f 1); do
	passwd --quiet --lock "$user"
	usermod --shell /usr/sbin/nologin "$user"
done
for unit in ssh.service bluetooth.service hciuart.service ModemManager.service rpi-connect.service rpi-connect-signin.path \
	userconfig.service rpi-resize.service serial-getty@ttyAMA0.service serial-getty@ttyS0.service; do
	systemctl mask "$unit"
done
