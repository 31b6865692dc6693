"""Flash and RAM of the firmware, and the buffer that fits."""
