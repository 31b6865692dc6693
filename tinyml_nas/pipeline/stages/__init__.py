"""Each stage of the pipeline with its key in the store: what it reads, and how it is run.

The rooms (``search``, ``pruning``, ``convert``, …) know nothing of the store or of each other; these
modules connect them. A room is imported when its stage has to run, so that a run whose stages are
all in the store loads neither torch nor TensorFlow.
"""
