"""TinyML NAS: search, compress and generate networks that keep learning on a microcontroller."""

from codegen import VERSION

__version__ = VERSION
