"""C++ literals, initialisers and identifiers, as the templates use them.

Every function is pure, and gives the same text for the same value on every machine.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

LINE_LENGTH = 100
LONGEST_IDENTIFIER = 56  # "TinyML_" and it are the name of an Arduino library: 63 characters
CTYPES: Mapping[str, str] = {
    "int8": "std::int8_t",
    "uint8": "std::uint8_t",
    "int16": "std::int16_t",
    "int32": "std::int32_t",
    "float32": "float",
}

# Latin letters that Unicode does not take apart.
_SPELLED = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L"}
)
# Words that are no names: keywords of C++ up to C++23, macros of compilers and of C's headers, names at the top.
_TAKEN = """
    alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class
    compl concept const consteval constexpr constinit const_cast continue co_await co_return co_yield decltype
    default delete do double dynamic_cast else enum explicit export extern false float for friend goto if inline
    int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private protected public register
    reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template
    this thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t
    while xor xor_eq arm assert complex errno i386 imaginary linux noreturn stderr stdin stdout unix std tinyml
""".split()  # noqa: SIM905


def ctype(dtype: str | np.dtype[Any]) -> str:
    """The C++ type of a NumPy dtype.

    >>> ctype("int8"), ctype(np.dtype("float32"))
    ('std::int8_t', 'float')
    """
    name = str(dtype)
    if name not in CTYPES:
        raise ValueError(f"no C++ type for {name}; there is one for {', '.join(CTYPES)}")
    return CTYPES[name]


def integer(value: int) -> str:
    """An int literal; the smallest int32 has none and is written as a difference.

    >>> integer(-5), integer(-(2**31))
    ('-5', '(-2147483647 - 1)')
    """
    if not -(2**31) <= value < 2**31:
        raise ValueError(f"{value} does not fit into 32 bits")
    return "(-2147483647 - 1)" if value == -(2**31) else str(int(value))


def hexadecimal(value: int) -> str:
    """An unsigned literal of 32 bits.

    >>> hexadecimal(0x40021000), hexadecimal(5)
    ('0x40021000U', '0x5U')
    """
    return f"0x{value:X}U"


def floating(value: float) -> str:
    """The shortest float literal that reads back as the same single-precision value.

    >>> floating(0.1), floating(1), floating(3.4028235e38)
    ('0.1F', '1.0F', '3.4028235e+38F')
    """
    if not np.isfinite(value):
        raise ValueError(f"{value} has no C++ literal")
    text = str(np.float32(value))
    return f"{text}F" if re.search(r"[.e]", text) else f"{text}.0F"


def literal(value: Any) -> str:
    """An int or float literal, by the value's type.

    >>> literal(3), literal(3.0), literal(np.float32(0.5)), literal(True), literal(None)
    ('3', '3.0F', '0.5F', 'true', 'nullptr')
    """
    if value is None:
        return "nullptr"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return integer(int(value))
    if isinstance(value, float | np.floating):
        return floating(float(value))
    raise TypeError(f"no C++ literal for {value!r}")


def elements(values: npt.NDArray[np.generic] | Iterable[float], indent: int = 4) -> str:
    """The elements of an array initialiser, wrapped; every line starts with ``indent`` blanks.

    >>> print(elements(np.array([[1, -2], [3, 4]], np.int8)))
        1, -2, 3, 4,
    """
    flat = np.asarray(values).reshape(-1)
    if np.issubdtype(
        flat.dtype, np.integer
    ):  # a network's weights: many numbers, few different ones
        known = {value: literal(value) for value in set(flat.tolist())}
        texts: Iterable[str] = map(known.__getitem__, flat.tolist())
    else:
        texts = map(literal, flat)
    lines: list[list[str]] = []
    room = 0
    for text in texts:
        room -= len(text) + 2  # a blank, or the indent's last, and a comma
        if room < 0 or not lines:
            lines.append([])
            room = LINE_LENGTH - indent - len(text) - 1
        lines[-1].append(text)
    return "\n".join(" " * indent + ", ".join(line) + "," for line in lines)


def identifier(text: str) -> str:
    """``text`` as a C++ identifier of at most ``LONGEST_IDENTIFIER`` characters.

    Letters and digits that are not ASCII lose their accents, or become their code points. Of a text that is too
    long the end becomes a checksum.

    >>> identifier("3x3 conv/bias"), identifier("ok_1"), identifier("Müsli"), identifier("花 1")
    ('_3x3_conv_bias', 'ok_1', 'Musli', 'u82b1_1')
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPELLED))
    letters = (c for c in decomposed if not unicodedata.combining(c))
    spelled = "".join(f" u{ord(c):x} " if not c.isascii() and c.isalnum() else c for c in letters)
    name = re.sub(r"\W+", "_", spelled.strip(), flags=re.ASCII)
    if len(name) >= LONGEST_IDENTIFIER:
        checksum = f"_{zlib.crc32(text.encode()):08x}"
        name = name[: LONGEST_IDENTIFIER - 1 - len(checksum)] + checksum
    return f"_{name}" if not name or name[0].isdigit() else name


def module(text: str) -> str:
    """``text`` as the name of a namespace, of a folder of headers and of a target: in small letters.

    Underscores are only between its words, as other names are reserved; so are keywords, and what compilers and
    C's headers define as macros.

    >>> module("MobileNet v2.0"), module("224"), module("class"), module("__"), module("花")
    ('mobilenet_v2_0', 'model_224', 'class_model', 'model', 'u82b1')
    """
    name = re.sub(r"_+", "_", identifier(text).lower()).strip("_")
    if not name or name[0].isdigit():
        name = f"model_{name}".rstrip("_")
    return f"{name}_model" if name in _TAKEN else name


def snake(text: str) -> str:
    """A type's name as a function's.

    >>> snake("InverseCovariance")
    'inverse_covariance'
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).lower()


def string(text: str) -> str:
    r"""A string literal; everything but printable ASCII is escaped byte by byte.

    So is a question mark that follows another: with a third character they would be a trigraph.

    >>> print(string('a "b"'), string("é"), string("??/"))
    "a \"b\"" "\303\251" "?\077/"
    """
    escaped = ""
    for byte in text.encode():
        character = chr(byte)
        if not 0x20 <= byte < 0x7F or (character == "?" and escaped.endswith("?")):
            escaped += f"\\{byte:03o}"
        else:
            escaped += f"\\{character}" if character in '"\\' else character
    return f'"{escaped}"'


def shape(sides: Iterable[int]) -> str:
    """A shape as comments show it.

    >>> shape((1, 16, 16, 8)), shape(())
    ('1x16x16x8', 'scalar')
    """
    return "x".join(str(side) for side in sides) or "scalar"


def input_shape(sides: Sequence[int]) -> str:
    """An input (1, H, W, C) as people say it: an image, or where there is one row a line of samples.

    >>> input_shape((1, 32, 32, 3)), input_shape((1, 1, 128, 9)), input_shape((1, 1, 20, 1))
    ('32x32x3', '128x9', '20')
    """
    _, height, width, channels = sides
    if height > 1:
        return shape((height, width, channels))
    return shape((width,) if channels == 1 else (width, channels))


def initialiser(value: Any, indent: int = 4) -> str:
    """A braced initialiser; members of a mapping are named in comments.

    Strings are taken as C++ expressions.

    >>> print(initialiser({"input": (8, 8, 3), "weights": "op0_weights", "low": -128}))
    {/*input=*/{8, 8, 3}, /*weights=*/op0_weights, /*low=*/-128}
    """
    if isinstance(value, Mapping):
        items = [f"/*{name}=*/{initialiser(item, indent + 4)}" for name, item in value.items()]
    elif isinstance(value, tuple):
        items = [initialiser(item, indent + 4) for item in value]
    elif isinstance(value, str):
        return value
    else:
        return literal(value)
    line = "{" + ", ".join(items) + "}"
    if indent + len(line) <= LINE_LENGTH - 16 and "\n" not in line:
        return line
    return "{\n" + "".join(f"{' ' * indent}{item},\n" for item in items) + " " * (indent - 4) + "}"
