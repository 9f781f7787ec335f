#!/bin/bash -e
# Debian's own services that the box needs; the firewall stands before the network comes up.
systemctl enable nftables.service chrony.service avahi-daemon.service unattended-upgrades.service

# A first boot asks nothing at the screen, and waits for no answer: the box is set up on its own page.
systemctl mask systemd-firstboot.service
