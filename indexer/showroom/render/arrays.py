"""Array aliases of the renderer."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
Bytes = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]
