"""Updates: a release is signed, checked before use, put beside the running one, tried, and kept or taken back.

What comes is two files, in a folder, on a stick or at an address: `inglenook-MACHINE.release`, the signed statement of
what the release is, and `inglenook-VERSION-MACHINE.tar`, the release, whose size and SHA-256 the statement says.
"""
