"""Buffers of labelled samples: which ones they keep, their bytes, and their C++."""
