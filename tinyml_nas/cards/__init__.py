"""Cards: what a trained network or supernet is, how it was made, and how good it is."""
