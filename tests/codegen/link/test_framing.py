"""Frames: Python's and the firmware's encoders and decoders agree, on anything."""

from __future__ import annotations

import ctypes
import zlib

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codegen.link import framing
from codegen.link.framing import Deframer, FrameError, decode, encode, stuff, unstuff

LONG = bytes(range(1, 255)) * 3
data_of_frames = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"\0", b"\1", LONG[:253], LONG[:254], LONG[:255]])).map(b"".join),
)
edges = example(b"")
for edge in (b"\0", b"\0\0", LONG[:253], LONG[:254], LONG[:255], LONG[:254] + b"\0", LONG[:508]):
    edges = lambda test, before=edges, value=edge: before(example(value)(test))  # noqa: E731


def encoded_by_the_firmware(library, data):
    out = ctypes.create_string_buffer(2 * len(data) + 8)
    count = library.cobs_encode(data, len(data), out)
    return out.raw[:count]


def decoded_by_the_firmware(library, stuffed):
    out = ctypes.create_string_buffer(len(stuffed) + 8)
    count = library.cobs_decode(stuffed, len(stuffed), out)
    return None if count < 0 else out.raw[:count]


@edges
@given(data=data_of_frames)
@settings(deadline=None)
def test_both_ends_stuff_alike_and_get_the_data_back(device_library, data):
    library = ctypes.CDLL(str(device_library))
    stuffed = stuff(data)
    assert 0 not in stuffed
    assert len(stuffed) <= len(data) + 1 + len(data) // 254
    assert unstuff(stuffed) == data
    assert encoded_by_the_firmware(library, data) == stuffed + b"\0"
    assert decoded_by_the_firmware(library, stuffed + b"\0") == data


def test_the_papers_examples():
    assert stuff(b"") == b"\x01"
    assert stuff(b"\0") == b"\x01\x01"
    assert stuff(b"\x11\x22\0\x33") == b"\x03\x11\x22\x02\x33"
    assert stuff(LONG[:254]) == b"\xff" + LONG[:254]
    assert stuff(LONG[:254] + b"\0") == b"\xff" + LONG[:254] + b"\x01\x01"


@given(noise=st.binary(max_size=300).map(lambda raw: raw.replace(b"\0", b"\7")))
@settings(deadline=None)
def test_both_ends_agree_on_what_is_broken(device_library, noise):
    library = ctypes.CDLL(str(device_library))
    try:
        mine = unstuff(noise)
    except FrameError:
        mine = None
    assert decoded_by_the_firmware(library, noise + b"\0") == mine


@given(data=st.binary(max_size=100))
def test_crc_is_zlibs(device_library, data):
    library = ctypes.CDLL(str(device_library))
    library.crc32.restype = ctypes.c_uint32
    assert library.crc32(data, len(data)) == zlib.crc32(data)


frames = st.builds(
    framing.Frame,
    version=st.just(framing.VERSION),
    message=st.integers(0, 255),
    session=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**32 - 1),
    payload=data_of_frames,
)


def encoded(frame):
    return encode(frame.message, frame.sequence, frame.payload, frame.session)


@given(frame=frames)
def test_a_frame_comes_back(frame):
    sent = encoded(frame)
    assert sent[0] == sent[-1] == 0
    assert decode(sent.strip(b"\0")) == frame


@given(version=st.integers(0, 255).filter(lambda number: number != framing.VERSION))
def test_of_another_version_the_first_bytes_are_read(version):
    sent = encode(0x81, 7, b"x", session=3, version=version)
    found = decode(sent.strip(b"\0"))
    assert (found.version, found.message) == (version, 0x81)
    assert found.payload == bytes((3, 0, 0, 0, 7, 0, 0, 0)) + b"x"


@given(sent=st.lists(frames, max_size=4), data=st.data())
def test_frames_are_found_between_noise_however_they_are_cut(sent, data):
    stream = b""
    for frame in sent:
        stream += data.draw(st.binary(max_size=12))
        stream += encoded(frame)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    deframer = Deframer()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += deframer.feed(stream[start:end])
    assert found == sent


@given(frame=frames, data=st.data())
def test_damage_is_noticed(frame, data):
    stuffed = bytearray(encoded(frame)[1:-1])
    at = data.draw(st.integers(0, len(stuffed) - 1))
    stuffed[at] ^= data.draw(st.integers(1, 255))
    pieces = [piece for piece in bytes(stuffed).split(b"\0") if piece]
    for piece in pieces:
        with pytest.raises(FrameError):
            decode(piece)


def test_endless_noise_takes_no_endless_memory():
    deframer = Deframer(longest_bytes=1000)
    for _ in range(50):
        assert deframer.feed(b"\7" * 100) == []
    assert len(deframer._pending) <= 1000
    assert deframer.feed(encode(1, 2, b"x"))[0].payload == b"x"


def test_page_hinkley_is_its_formula(device_library):
    library = ctypes.CDLL(str(device_library))
    rng = np.random.default_rng(1)
    wrong = (rng.random(900) < np.repeat([0.1, 0.6, 0.1], 300)).astype(np.uint8)
    alarms, statistics = np.zeros(900, np.uint8), np.zeros(900, np.float32)
    library.page_hinkley(
        *(ctypes.c_void_p(a.ctypes.data) for a in (wrong,)),
        len(wrong),
        *(ctypes.c_void_p(a.ctypes.data) for a in (alarms, statistics)),
    )
    start, expected = 0, []
    for t in range(len(wrong)):
        x = wrong[start : t + 1].astype(float)
        terms = np.cumsum(x - np.cumsum(x) / np.arange(1, len(x) + 1) - 0.05)
        risen = terms[-1] - min(0.0, terms.min()) > 12.0
        expected.append(risen)
        if not risen:
            assert statistics[t] == pytest.approx(terms[-1] - min(0.0, terms.min()), abs=1e-3)
        start = t + 1 if risen else start
    np.testing.assert_array_equal(alarms, expected)
    found = np.flatnonzero(alarms)
    assert len(found) == 1
    assert 300 < found[0] < 400


@pytest.mark.parametrize(
    ("before", "after", "alarmed"),
    [  # as docs/protocol.md has it: share of streams with an alarm within 700 samples
        (0.10, 0.10, (0.0, 0.01)),
        (0.25, 0.25, (0.0, 0.08)),
        (0.10, 0.28, (0.75, 0.95)),
        (0.25, 0.55, (0.99, 1.0)),
    ],
)
def test_page_hinkley_tells_drift_from_chance(device_library, before, after, alarmed):
    library = ctypes.CDLL(str(device_library))
    rng = np.random.default_rng(2)
    streams, length, change = 300, 800, 100
    rates = np.where(np.arange(length) < change, before, after)
    hits = 0
    for _ in range(streams):
        wrong = (rng.random(length) < rates).astype(np.uint8)
        alarms, statistics = np.zeros(length, np.uint8), np.zeros(length, np.float32)
        library.page_hinkley(
            ctypes.c_void_p(wrong.ctypes.data),
            length,
            ctypes.c_void_p(alarms.ctypes.data),
            ctypes.c_void_p(statistics.ctypes.data),
        )
        hits += bool(alarms.any())
    assert alarmed[0] <= hits / streams <= alarmed[1]
