"""Memory models: what Ω takes of a board's memory, and how many samples its buffer holds."""
