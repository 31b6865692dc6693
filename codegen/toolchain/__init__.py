"""Compilers: the project built for this host, for a board, and what was linked."""
