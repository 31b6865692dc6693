"""From content to HTML: nothing that a user named can leave its place on the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent
DATA = ("page.html.j2", "page.css", "page.js")


def rendered(content: dict[str, Any]) -> str:
    """The page of ``content``."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json"] = _json
    texts = {
        name: Markup((_FOLDER / file).read_text(encoding="utf-8"))  # noqa: S704  # our own files
        for name, file in (("style", "page.css"), ("script", "page.js"))
    }
    return environment.get_template("page.html.j2").render(
        **_EMPTY | content,
        **texts,
        charts_json={chart.id: chart.figure for chart in content["charts"]},
    )


_EMPTY: dict[str, Any] = {
    "headline": [],
    "jobs": None,
    "pictures": [],
    "classes": [],
    "rivals": [],
    "candidates": {},
    "provenance": None,
}


def _json(value: object) -> Markup:
    """JSON that may stand in a script element: no text in it can end the element."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # noqa: S704  # escaped
