"""C++ literals: the examples in the docstrings, and what must be refused."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen import literals
from codegen.arithmetic import fixed_point


@pytest.mark.parametrize("module", [literals, fixed_point])
def test_docstrings(module: object) -> None:
    result = doctest.testmod(module)  # type: ignore[arg-type]
    assert result.attempted > 2
    assert not result.failed


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_read_back_exactly(value: float) -> None:
    text = literals.floating(value)
    assert text.endswith("F")
    assert np.float32(text[:-1]) == np.float32(value)
    assert set(text) & set(".e"), "an integer literal with F is not C++"


@given(st.text())
def test_strings_are_printable_ascii_and_closed(text: str) -> None:
    quoted = literals.string(text)
    assert quoted.isascii()
    assert quoted.isprintable()
    inner = quoted[1:-1].encode().decode("unicode_escape").encode("latin-1")
    assert inner.decode() == text


@given(st.text())
def test_identifiers(text: str) -> None:
    assert literals.identifier(text).isidentifier()
    assert literals.identifier(text).isascii()


def test_elements_wrap_and_keep_order() -> None:
    values = np.arange(-128, 128, dtype=np.int8)
    lines = literals.elements(values, indent=2).splitlines()
    assert all(len(line) <= literals.LINE_LENGTH and line.startswith("  ") for line in lines)
    assert [int(item) for item in " ".join(lines).replace(",", " ").split()] == values.tolist()


def test_unwritable_values_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bits"):
        literals.integer(2**31)
    with pytest.raises(ValueError, match="no C\\+\\+ literal"):
        literals.floating(float("nan"))
    with pytest.raises(ValueError, match="no C\\+\\+ type for float64"):
        literals.ctype("float64")
    with pytest.raises(TypeError, match="no C\\+\\+ literal"):
        literals.literal(object())
