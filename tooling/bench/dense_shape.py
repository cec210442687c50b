"""The dense llama-like model that the GGUF and ONNX files hold: flags and random weights."""

import argparse

import numpy as np


def parse_arguments(description, types):
    parser = argparse.ArgumentParser(description=description)
    for name in ("hidden", "intermediate", "layers", "heads", "kv-heads", "head-dim", "vocab", "context"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--type", choices=types, required=True)
    parser.add_argument("--output", required=True)
    return parser.parse_args()


_random = np.random.default_rng(0)


def matrix(rows, columns):
    """Random float32 weights [rows, columns] that keep the size of activations."""
    return _random.standard_normal((rows, columns), np.float32) * np.float32(columns**-0.5)


def quantised(rows, columns, bits):
    """Random unsigned whole numbers [rows, columns] of so many bits, and the scale that suits them."""
    levels = 1 << bits
    numbers = _random.integers(1, levels, (rows, columns), np.uint8)
    return numbers, np.float32(columns**-0.5 * 12**0.5 / levels)
