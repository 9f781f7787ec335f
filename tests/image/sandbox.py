"""What each service is allowed: every line of its unit and of what stands behind it, and what comes of trying.

A line of a unit that is not here, or that says something else, fails a test; so does a try that comes out otherwise.
"""

SERVICES = ("collector", "scheduler", "dashboard", "setup", "clock")
ROOTS = ("update-install", "update-settle")
"""Those that are root: what they do is tried by an update, in test_update.py."""

FIRST = ("partition", "wifi", "sign", "lost")
"""Root's too, the middle two without its powers, and the last nobody's: their scripts are tried in
tests/image/test_partition.py and test_lost.py, and tests/services/test_wifi.py and test_sign.py."""

ALWAYS, ONCE = 1.5, 4.0
EXPOSURE = {
    "collector": ALWAYS,
    "scheduler": ALWAYS,
    "dashboard": ALWAYS,
    "clock": ALWAYS,
    "setup": ONCE,
    "update-install": ONCE,
    "update-settle": ONCE,
    "partition": ONCE,
    "wifi": ONCE,
    "sign": ONCE,
    "lost": ALWAYS,
}
"""The most that `systemd-analyze security` may say of a service."""

_DATA = "/var/lib/inglenook"
_PYTHON = "/opt/inglenook/bin/python -I -OO -m services."
_DEVICES = ["char-ttyUSB rw", "char-ttyACM rw", "char-ttyAMA rw", "char-ttyS rw", "char-gpiochip rw"]
_OFFLINE = {"PrivateNetwork": ["yes"], "IPAddressDeny": ["any"], "PrivateDevices": ["yes"]}

SEALED = {
    "AmbientCapabilities": [""],
    "CapabilityBoundingSet": [""],
    "DevicePolicy": ["closed"],
    "Environment": [
        "INGLENOOK_BOOT=%b INGLENOOK_CLOCK=/run/inglenook/clock-is-set",
        "TMPDIR=/var/tmp",
        "MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=131072",
    ],
    "KeyringMode": ["private"],
    "LimitCORE": ["0"],
    "LockPersonality": ["yes"],
    "MemoryDenyWriteExecute": ["yes"],
    "NoExecPaths": [f"{_DATA} /tmp /var/tmp /dev/shm /run"],
    "NoNewPrivileges": ["yes"],
    "PrivateMounts": ["yes"],
    "PrivatePIDs": ["yes"],
    "PrivateTmp": ["yes"],
    "PrivateUsers": ["yes"],
    "ProcSubset": ["pid"],
    "ProtectClock": ["yes"],
    "ProtectControlGroups": ["strict"],
    "ProtectHome": ["yes"],
    "ProtectHostname": ["yes"],
    "ProtectKernelLogs": ["yes"],
    "ProtectKernelModules": ["yes"],
    "ProtectKernelTunables": ["yes"],
    "ProtectProc": ["invisible"],
    "ProtectSystem": ["strict"],
    "ReadOnlyPaths": ["/run"],
    "RemoveIPC": ["yes"],
    "RestartMaxDelaySec": ["30s"],
    "RestartSec": ["500ms"],
    "RestartSteps": ["6"],
    "RestrictNamespaces": ["yes"],
    "RestrictRealtime": ["yes"],
    "RestrictSUIDSGID": ["yes"],
    "SystemCallArchitectures": ["native"],
    "SystemCallErrorNumber": ["EPERM"],
    "SystemCallFilter": ["@system-service", "~@privileged @resources"],
    "TasksMax": ["64"],
    "TimeoutStopSec": ["15s"],
    "UMask": ["0077"],
    "WorkingDirectory": ["/"],
}
"""Of systemd/inglenook-.service.d, which stands behind every unit."""

OF_ROOT = {
    "CapabilityBoundingSet": ["CAP_SETUID CAP_SETGID CAP_DAC_READ_SEARCH"],
    "PrivateDevices": ["yes"],
    "PrivatePIDs": ["no"],
    "PrivateUsers": ["no"],
    "ReadWritePaths": [f"/opt {_DATA}"],
    "StateDirectory": ["inglenook-update"],
    "StateDirectoryMode": ["0755"],
    "SupplementaryGroups": ["inglenook"],
    "SystemCallFilter": ["@setuid"],
    "TimeoutStopSec": ["30min"],
    "UMask": ["0022"],
}
"""Of systemd/inglenook-update-.service.d, which stands behind that for those that are root."""

OF_THE_DISK = {"CapabilityBoundingSet": ["CAP_SYS_ADMIN"], "PrivateTmp": ["disconnected"], "PrivateUsers": ["no"]}
"""Of systemd/inglenook-partition.service.d, which stands behind it too."""

MORE = {"update-install": OF_ROOT, "update-settle": OF_ROOT, "partition": OF_THE_DISK}
"""What stands behind both, for some."""

_SETTLE = "-I -OO -m services.update --settle"
OWN = {
    "collector": {
        "DeviceAllow": _DEVICES,
        "ExecStart": [f"{_PYTHON}collector --data {_DATA}"],
        "Group": ["inglenook"],
        "IPAddressAllow": ["localhost link-local multicast 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7"],
        "IPAddressDeny": ["any"],
        "InaccessiblePaths": [f"-{_DATA}/keys -{_DATA}/inbox"],
        "MemoryMax": ["96M"],
        "Nice": ["-5"],
        "NoExecPaths": [f"{_DATA}/spool {_DATA}/run"],
        "NotifyAccess": ["main"],
        "OOMScoreAdjust": ["-900"],
        "ReadOnlyPaths": [_DATA],
        "ReadWritePaths": [f"{_DATA}/spool {_DATA}/run"],
        "Restart": ["always"],
        "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX"],
        "TimeoutStartSec": ["30s"],
        "Type": ["notify"],
        "User": ["inglenook-collector"],
        "WatchdogSec": ["60s"],
    },
    "scheduler": {
        "ExecStart": [f"{_PYTHON}scheduler --data {_DATA}"],
        "Group": ["inglenook"],
        "IOSchedulingPriority": ["6"],
        "MemoryHigh": ["512M"],
        "MemoryMax": ["768M"],
        "Nice": ["5"],
        "NoExecPaths": ["-/media -/mnt"],
        "NotifyAccess": ["main"],
        "PrivateDevices": ["yes"],
        "ReadWritePaths": [f"{_DATA} -/media -/mnt"],
        "Restart": ["always"],
        "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX"],
        "TimeoutStartSec": ["60s"],
        "Type": ["notify"],
        "User": ["inglenook"],
        "WatchdogSec": ["60s"],
    },
    "dashboard": {
        "DeviceAllow": _DEVICES,
        "ExecStart": [f"{_PYTHON}dashboard --data {_DATA}"],
        "Group": ["inglenook"],
        "MemoryHigh": ["384M"],
        "MemoryMax": ["512M"],
        "NoExecPaths": ["-/media -/mnt"],
        "NotifyAccess": ["all"],
        "ReadWritePaths": [f"{_DATA} -/media -/mnt"],
        "Restart": ["always"],
        "RestrictAddressFamilies": ["AF_INET AF_INET6 AF_UNIX AF_NETLINK"],
        "TimeoutStartSec": ["60s"],
        "Type": ["notify"],
        "User": ["inglenook"],
        "WatchdogSec": ["60s"],
    },
    "setup": {
        **_OFFLINE,
        "ExecStart": [f"{_PYTHON}setup --data {_DATA}"],
        "Group": ["inglenook"],
        "MemoryMax": ["256M"],
        "ReadWritePaths": [_DATA],
        "Restart": ["on-failure"],
        "RestrictAddressFamilies": ["none"],
        "TimeoutStartSec": ["60s"],
        "Type": ["oneshot"],
        "User": ["inglenook"],
    },
    "clock": {
        **_OFFLINE,
        "ExecStart": [
            "/bin/sh -ec 'chronyc -h /run/chrony/chronyd.sock waitsync 0 0.5 0 10; "
            "install -m 0644 /dev/null %t/inglenook/clock-is-set'"
        ],
        "Group": ["_chrony"],
        "InaccessiblePaths": [_DATA],
        "MemoryMax": ["16M"],
        "ReadWritePaths": ["/run/chrony"],
        "Restart": ["on-failure"],
        "RestrictAddressFamilies": ["AF_UNIX"],
        "RuntimeDirectory": ["inglenook"],
        "RuntimeDirectoryPreserve": ["yes"],
        "Type": ["exec"],
        "User": ["_chrony"],
    },
    "partition": {
        "DeviceAllow": ["block-mmc rw", "block-sd rw", "block-blkext rw", "block-virtblk rw"],
        "ExecStart": [f"{_PYTHON}partition"],
        "IPAddressDeny": ["any"],
        "MemoryMax": ["256M"],
        "PrivateNetwork": ["yes"],
        "RestrictAddressFamilies": ["none"],
        "StandardError": ["journal+console"],
        "TimeoutStartSec": ["10min"],
        "Type": ["oneshot"],
    },
    "wifi": {
        **_OFFLINE,
        "ExecStart": [f"{_PYTHON}wifi"],
        "Group": ["inglenook"],
        "InaccessiblePaths": [f"-{_DATA}/keys -{_DATA}/stores -{_DATA}/inbox -{_DATA}/spool"],
        "MemoryMax": ["64M"],
        "ReadWritePaths": [
            "-/etc/NetworkManager/system-connections -/var/lib/NetworkManager -/boot/firmware",
            f"-{_DATA}/run",
        ],
        "RestrictAddressFamilies": ["none"],
        "TimeoutStartSec": ["60s"],
        "Type": ["oneshot"],
    },
    "sign": {
        **_OFFLINE,
        "ExecStart": [f"{_PYTHON}sign --data {_DATA}"],
        "Group": ["inglenook"],
        "InaccessiblePaths": [f"{_DATA}/keys {_DATA}/stores"],
        "MemoryMax": ["64M"],
        "ReadWritePaths": ["/run/issue.d /run/agetty.reload -/boot/firmware", f"{_DATA}/run"],
        "RestrictAddressFamilies": ["none"],
        "TimeoutStartSec": ["60s"],
        "Type": ["oneshot"],
    },
    "lost": {
        **_OFFLINE,
        "DynamicUser": ["yes"],
        "ExecStart": [f"{_PYTHON}lost"],
        "ExecStartPre": [f"!{_PYTHON}lost --screen"],
        "InaccessiblePaths": [_DATA],
        "MemoryMax": ["64M"],
        "ReadWritePaths": ["/run/issue.d /run/agetty.reload"],
        "Restart": ["always"],
        "RestrictAddressFamilies": ["AF_INET"],
        "TimeoutStartSec": ["60s"],
        "Type": ["exec"],
    },
    "update-install": {
        "ExecStart": [
            f"/bin/sh -ec 'exec \"$$(readlink -f /opt/inglenook)/bin/python\" -I -OO -m services.update --data {_DATA}'"
        ],
        "ExecStopPost": [
            f"/bin/rm -f {_DATA}/run/update-wanted",
            "/bin/sh -ec 'test -e /var/lib/inglenook-update/trying || "
            "exec systemctl start --no-block inglenook-scheduler.service; "
            f"exec /opt/inglenook-previous/bin/python {_SETTLE} running --data {_DATA}'",
        ],
        "IPAddressAllow": ["localhost"],
        "IPAddressDeny": ["any"],
        "MemoryMax": ["768M"],
        "RestrictAddressFamilies": ["AF_INET AF_UNIX"],
        "TimeoutStartSec": ["1h"],
        "Type": ["oneshot"],
    },
    "update-settle": {
        "ExecStart": [f"/opt/inglenook-previous/bin/python {_SETTLE} booting --data {_DATA}"],
        "IPAddressDeny": ["any"],
        "MemoryMax": ["256M"],
        "PrivateNetwork": ["yes"],
        "RestrictAddressFamilies": ["AF_UNIX"],
        "TimeoutStartSec": ["30min"],
        "Type": ["oneshot"],
    },
}
"""Of each service's own unit."""

CAN = {
    "read the box's key": {"scheduler", "dashboard", "setup"},
    "read the home store": {"scheduler", "dashboard", "setup"},
    "list the stores": {"scheduler", "dashboard", "setup"},
    "list the inbox": {"scheduler", "dashboard", "setup"},
    "write the data folder": {"scheduler", "dashboard", "setup"},
    "write the home store's folder": {"scheduler", "dashboard", "setup"},
    "read the public key": {"collector", "scheduler", "dashboard", "setup"},
    "read the meters": {"collector", "scheduler", "dashboard", "setup"},
    "write the spool": {"collector", "scheduler", "dashboard", "setup"},
    "write the run folder": {"collector", "scheduler", "dashboard", "setup"},
    "write a disk that is plugged in": {"scheduler", "dashboard"},
    "use IPv4": {"collector", "scheduler", "dashboard"},
    "use netlink": {"dashboard"},
    "reach the house": {"collector", "scheduler", "dashboard"},
    "write /dev/shm": set(SERVICES),
    "write its own /tmp": set(SERVICES),
    "see its own processes alone": set(SERVICES),
    "use a pseudo-terminal": set(SERVICES),
}
"""What a try succeeds in, and for which services. Every other try fails for every service."""
