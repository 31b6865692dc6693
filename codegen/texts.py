"""Text that people write, on its way into generated files: what is refused, and how Markdown quotes it.

C++ strings and identifiers are in ``codegen.literals``.
"""

from __future__ import annotations

import re
import unicodedata

# Control characters, halves of surrogate pairs, separators of lines and of paragraphs.
_NOT_OF_A_LINE = ("Cc", "Cs", "Zl", "Zp")


def check_line(key: str, text: str, longest: int) -> None:
    """Refuse what is not one line of at most ``longest`` characters in any encoding of Unicode.

    Raises:
        ValueError: naming ``key``.
    """
    bad = next((c for c in text if unicodedata.category(c) in _NOT_OF_A_LINE), None)
    if bad is not None:
        raise ValueError(
            f"{key}: must be one line without control characters; got {bad!r} in {text[:80]!r}"
        )
    if len(text) > longest:
        raise ValueError(
            f"{key}: must have at most {longest} characters; got {len(text)}, {text[:20]!r}..."
        )


def markdown(text: str) -> str:
    r"""``text`` so that Markdown shows it as it is: no emphasis, code, link, table, HTML or formula.

    >>> print(markdown("a_b | `c` <d>"))
    a\_b \| \`c\` \<d\>
    """
    return re.sub(r"([\\`*_{}\[\]<>#|~&!$])", r"\\\1", text)
