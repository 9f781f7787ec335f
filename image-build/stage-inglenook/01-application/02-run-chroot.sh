#!/bin/bash -e
# The application: its packages by their hashes out of the folder, without a network, then itself, then everything compiled.
# Nothing on the box may write there, so what was compiled is trusted and not looked at again.
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
inglenook/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash inglenook/lib
systemd-sysusers
systemctl enable inglenook-setup.service inglenook-collector.service inglenook-scheduler.service \
	inglenook-dashboard.socket inglenook-dashboard.service
