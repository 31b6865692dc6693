"""How labelled samples come: a file each."""
