"""A compiler from an int8 ``.tflite`` extractor, a head and a board to a C++ project that learns."""
