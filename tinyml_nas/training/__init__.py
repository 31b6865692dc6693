"""One training loop, its state, and the recipes that it follows."""
