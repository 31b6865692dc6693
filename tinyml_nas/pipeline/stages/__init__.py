"""The stages of the pipeline, a function in a file of its own each.

A stage writes its files into ``folder`` and returns its value; ``work`` outlives a killed run. It may read
what it is given by name, and nothing else: its key in the store is made of that (``Context.run``) and of the
code that it imports. A room (``search``, ``pruning``, ``conversion``, …) is imported inside the function, so
that a run whose stages are all in the store loads neither torch nor TensorFlow.
"""
