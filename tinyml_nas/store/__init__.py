"""The content-addressed store of stage results."""
