"""What a power cut or a failing disk leaves of a file."""

from __future__ import annotations

from hypothesis import strategies as st


@st.composite
def damages(draw: st.DrawFn, content: bytes) -> bytes:
    """``content`` cut off, with zeros or garbage from some place on, or with one byte changed."""
    place = draw(st.integers(0, len(content) - 1))
    kind = draw(st.sampled_from(["cut", "zeros", "garbage", "flip", "hole"]))
    if kind == "cut":
        return content[:place]
    if kind == "zeros":
        return content[:place] + bytes(len(content) - place)
    if kind == "garbage":
        return content[:place] + draw(st.binary(min_size=1, max_size=200))
    if kind == "flip":
        other = content[place] ^ draw(st.integers(1, 255))
        return content[:place] + bytes([other]) + content[place + 1 :]
    length = draw(st.integers(1, len(content) - place))
    return content[:place] + bytes(length) + content[place + length :]
