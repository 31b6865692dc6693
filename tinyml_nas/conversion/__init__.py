"""From torch to Keras, and the reference interpreter that judges what comes of it."""
