"""Encoders written as ONNX graphs: the same vectors as the model they come from, without torch and in less time.

ONNX Runtime keeps an identity of the user's in the home directory and reports its use to Microsoft, unless this
variable stands in the environment when it is first imported.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

from indexer.encoders.exported.record import NotExportable, Towers

__all__ = ["NotExportable", "Towers"]
