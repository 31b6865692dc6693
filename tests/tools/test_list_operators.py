"""docs/operators.md is what the operators say of themselves."""

from __future__ import annotations

from codegen import ops
from tools.list_operators import TARGET, text


def test_the_page_is_made_from_the_code() -> None:
    written = TARGET.read_text(encoding="utf-8")
    assert written == text(), "run python -m tools.list_operators"
    for kind in ops.OPERATORS:
        assert (f"| {kind} |" in written) == (kind not in ops.MADE_HERE)
