"""Processes that tests start."""

from __future__ import annotations

import signal


def take_interrupts() -> None:
    """For ``preexec_fn``: let SIGINT interrupt the process.

    What a shell starts in the background ignores SIGINT, and so do its children.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
