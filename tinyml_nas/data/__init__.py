"""Data sets as plug-ins: uint8 images in fixed splits."""
