"""Random graphs: what the compiler is measured on, and what its tests draw from."""
