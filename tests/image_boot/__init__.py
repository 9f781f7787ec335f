"""The appliance for arm64, booted on a whole machine: a kernel, disks, a network card, and power that can be cut."""
