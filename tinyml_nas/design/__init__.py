"""Design of Ω: the extractor Φ_f, the head Φ_c and a buffer B that fills what memory is left."""
