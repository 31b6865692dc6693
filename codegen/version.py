"""The version of the whole package, and of what it generates."""

VERSION = "0.1.0"
