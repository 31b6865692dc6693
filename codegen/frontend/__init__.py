"""From a ``.tflite`` file to the intermediate representation, cut into extractor and head."""
