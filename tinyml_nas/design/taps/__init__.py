"""What a head reads of a network: its features alone, or pooled maps of blocks on the way ("taps") too."""
