"""How many bytes of flash the firmware's code takes: what ``tools/measure_code_size.py`` measures."""
