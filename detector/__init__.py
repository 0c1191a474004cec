"""Bytes in, Analysis out: does an image show signs of having been made by AI?"""

import os

# onnxruntime reports its use to its maker unless told not to before it is first imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
