"""An array of integers as a chunk or a rollup keeps it: one pcodec stream."""

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

Array = NDArray[np.int64]
_CONFIG = ChunkConfig()


def pack(values: Array) -> bytes:
    """One pcodec stream of int64."""
    return bytes(standalone.simple_compress(np.ascontiguousarray(values, np.int64), _CONFIG))


def unpack(packed: bytes) -> Array:
    """The array again."""
    values: Array = standalone.simple_decompress(packed)
    return values
