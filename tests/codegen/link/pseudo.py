"""The firmware on this computer, behind a pseudo-terminal: a board for the tool's own process."""

from __future__ import annotations

import os
import select
import threading
import tty
from collections.abc import Callable

BIT_OF_TIME_S = 0.02


class PseudoBoard:
    """Answers on ``port`` what ``feed`` makes of the bytes that arrive there."""

    def __init__(self, feed: Callable[[bytes], bytes]) -> None:
        self.feed = feed
        self._near, self._user = os.openpty()
        tty.setraw(self._user)
        self.port = os.ttyname(self._user)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if select.select([self._near], [], [], BIT_OF_TIME_S)[0]:
                data = self.feed(os.read(self._near, 4096))
                while data:
                    data = data[os.write(self._near, data) :]

    def __enter__(self):
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        os.close(self._near)
        os.close(self._user)
