"""Networks that people make with Keras, as TensorFlow's guides make and export them, with random weights."""
