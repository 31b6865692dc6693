"""Memory models: what Ω may take beside what its board has. They bound the buffer; ``design.omega`` sizes it."""
