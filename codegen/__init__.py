"""A compiler from an int8 ``.tflite`` extractor, a head and a board to a C++ project that learns."""

VERSION = "0.1.0"  # of the whole package, and of what it generates
