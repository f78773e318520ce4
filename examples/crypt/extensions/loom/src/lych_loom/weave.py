"""The weaving itself: seeded noise in warp and weft, interlaced."""

from io import BytesIO

import numpy as np
from PIL import Image

THREAD = 8
"""Width of a thread in pixels."""


def weave(width: int, height: int, seed: int) -> bytes:
    """A PNG of `width` by `height` pixels; equal arguments give equal pixels."""
    generator = np.random.default_rng(seed)
    warp = generator.integers(40, 256, size=(width // THREAD + 1, 3), dtype=np.uint8)
    weft = generator.integers(40, 256, size=(height // THREAD + 1, 3), dtype=np.uint8)
    column, row = np.arange(width) // THREAD, np.arange(height) // THREAD
    over = ((column[np.newaxis, :] + row[:, np.newaxis]) % 2 == 0)[:, :, np.newaxis]
    cloth = np.where(over, warp[column][np.newaxis, :, :], weft[row][:, np.newaxis, :])
    picture = BytesIO()
    Image.fromarray(cloth).save(picture, format="PNG")
    return picture.getvalue()
