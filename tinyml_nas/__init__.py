"""TinyML NAS: search, compress and generate networks that keep learning on a microcontroller."""
