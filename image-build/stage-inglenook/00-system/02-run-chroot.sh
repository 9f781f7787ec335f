#!/bin/bash -e
# Debian's own services that the box needs; the firewall stands before the network comes up.
systemctl enable nftables.service chrony.service avahi-daemon.service unattended-upgrades.service
