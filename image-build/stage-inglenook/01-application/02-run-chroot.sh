#!/bin/bash -e
# The application, as an update installs it. Debian compiles Python's own library only for programs with docstrings.
cd /opt
version=$(python3 -c 'import json; print(json.load(open("inglenook-incoming/release.json"))["version"])')
install -d inglenook-releases
bash inglenook-incoming/install inglenook-incoming "/opt/inglenook-releases/$version"
rm -rf inglenook-incoming
ln -sfnT "inglenook-releases/$version" inglenook
python3 -m compileall -q -j 0 -o 2 -x '/(test|idlelib|lib2to3|tkinter|turtledemo)/' /usr/lib/python3.13
systemd-sysusers
systemctl enable inglenook-partition.service inglenook-setup.service inglenook-collector.service \
	inglenook-scheduler.service inglenook-dashboard.socket inglenook-dashboard.service inglenook-clock.service \
	inglenook-update-settle.service inglenook-update.path \
	inglenook-wifi.service inglenook-wifi.path inglenook-sign.service inglenook-sign.path
