"""A page opened in headless Chromium: what a script finds there, and every error that the page raised."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)

needs_browser = pytest.mark.skipif(
    BROWSER is None,
    reason="not installed: chromium-headless-shell; `make test` installs it as root",
)

_WATCH = """<script>
window.errors = [];
window.addEventListener("error", (event) => errors.push(String(event.message)));
window.addEventListener("unhandledrejection", (event) => errors.push(String(event.reason)));
const reportedError = console.error;
console.error = (...all) => { errors.push(all.join(" ")); reportedError(...all); };
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const visit = async () => {
  const root = document.documentElement;
  for (let i = 0; i < 200 && !root.dataset.drawn; i++) await sleep(50);
  let found = null;
  try { found = await (async () => { SCRIPT })(); } catch (error) { errors.push(`script: ${error}`); }
  root.dataset.outcome = JSON.stringify({ found, errors, drawn: root.dataset.drawn ?? null });
};
addEventListener("DOMContentLoaded", visit);
</script>"""


def visited(page: Path, script: str, folder: Path, *, width: int = 1200, dark: bool = False) -> Any:
    """What ``script``, the body of an async function, returns on ``page``; its ``errors``; whether it was ``drawn``.

    The network is out of reach: every host resolves to nothing.
    """
    assert BROWSER is not None
    watched = page.read_text(encoding="utf-8").replace(
        "<head>", "<head>" + _WATCH.replace("SCRIPT", script), 1
    )
    copy = folder / "watched.html"
    copy.write_text(watched, encoding="utf-8")
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={folder / 'profile'}"),
        f"--blink-settings=preferredColorScheme={0 if dark else 1}",
        *("--virtual-time-budget=30000", f"--window-size={width},900", "--dump-dom"),
        copy.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    outcome = re.search(r'data-outcome="([^"]*)"', done.stdout)
    assert outcome, done.stderr[-2000:]
    return json.loads(html.unescape(outcome[1]))
