#!/bin/bash -e
# The application: its packages by their hashes out of the folder, without a network, then itself, then everything compiled.
# Nothing on the box may write there, so what was compiled is trusted and not looked at again. The services run without
# docstrings (-OO), the command with them; Debian compiles Python's own library only for the latter.
cd /opt
umask 022
rm -rf inglenook
python3 -m venv inglenook
install="inglenook/bin/python -m pip --disable-pip-version-check --no-cache-dir install --no-index --no-compile"
$install --quiet --find-links inglenook-wheels --require-hashes --only-binary :all: --requirement inglenook-wheels/requirements.lock
$install --quiet --no-deps inglenook-wheels/inglenook-*.whl
inglenook/bin/python -m pip --disable-pip-version-check check
inglenook/bin/python -m pip --disable-pip-version-check uninstall --quiet --yes pip
rm -rf inglenook-wheels
inglenook/bin/python -m compileall -q -j 0 -o 0 -o 2 --invalidation-mode unchecked-hash inglenook/lib
python3 -m compileall -q -j 0 -o 2 -x '/(test|idlelib|lib2to3|tkinter|turtledemo)/' /usr/lib/python3.13
systemd-sysusers
systemctl enable inglenook-setup.service inglenook-collector.service inglenook-scheduler.service \
	inglenook-dashboard.socket inglenook-dashboard.service inglenook-clock.service
