"""Writes safetensors.bin, the golden of tests/io/safetensors_test.cc, with the reference package.

    python tests/golden/make_safetensors.py tests/golden/safetensors.bin
"""
import sys

import numpy as np
from safetensors.numpy import save_file

# BF16 has no NumPy type; the test covers it by its own formula.
tensors = {
    "double": np.array([[1.5, -2.25]], dtype=np.float64),
    "float": np.arange(6, dtype=np.float32).reshape(2, 3) / 4,
    "half": np.array([1.0, -0.5, 65504.0, 6e-8, np.inf], dtype=np.float16),
    "long": np.array([-(2**63), 2**63 - 1], dtype=np.int64),
    "int": np.array([[[7]]], dtype=np.int32),
    "short": np.array([-3], dtype=np.int16),
    "byte": np.array([-128, 127], dtype=np.int8),
    "unsigned": np.array([0, 255, 9], dtype=np.uint8),
    "flag": np.array([True, False], dtype=np.bool_),
    "empty": np.zeros((0, 4), dtype=np.float32),
    "scalar": np.array(2.5, dtype=np.float32),
    "näme \"quoted\"": np.array([1], dtype=np.int32),
}
save_file(tensors, sys.argv[1], metadata={"format": "pt"})
