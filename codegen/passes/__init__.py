"""Rewrites of the graph between reading and planning."""
