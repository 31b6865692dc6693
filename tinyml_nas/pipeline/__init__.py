"""The pipeline: what is done to what, in which order (``deploy``), and its stages."""
