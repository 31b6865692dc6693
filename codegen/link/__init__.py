"""A computer's end of the serial protocol: talks to the firmware of a generated project.

``docs/protocol.md`` describes the messages. ``python -m codegen.link --help`` is the tool.
"""
