"""Boards: one TOML file each, their drivers, and the emulated machines that stand in for them."""
