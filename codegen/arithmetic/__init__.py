"""Integer arithmetic as TFLM does it."""
