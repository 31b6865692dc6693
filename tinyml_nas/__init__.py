"""TinyML NAS: search, compress and generate networks that keep learning on a microcontroller."""

__version__ = "0.1.0"
