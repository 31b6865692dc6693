"""From a ``Project`` to a tree of files."""
