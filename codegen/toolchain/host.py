"""The generated project itself, built for this computer and driven from NumPy.

There is no Python twin of the learner: what a scenario measures is the C++ that ships.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codegen.toolchain import library

ALIGNMENT = 16
PIXEL_BYTES = {  # in the order of PixelFormat
    "gray8": 1,
    "rgb888": 3,
    "rgb565": 2,
    "rgb565_swapped": 2,
    "bgr888": 3,
    "yuv422": 2,
    "yuv422_swapped": 2,
}
LEARNED = 0
REFUSED = {  # by LearnStatus
    1: "label: is not a class",
    2: "features: must be finite and within 1e6",
    3: "head: a weight is not finite, or beyond 1e24; reset it",
}


class _Description(ctypes.Structure):
    """``Description`` of host/capi.cpp."""

    _fields_ = [
        (name, ctypes.c_int32)
        for name in (
            "model_bytes",
            "image_height",
            "image_width",
            "image_channels",
            "features",
            "classes",
            "buffer_samples",
            "state_bytes",
            "knobs",
            "float_pixels",
            "float_features",
        )
    ]


@dataclass(frozen=True)
class Shape:
    """What a built model takes and gives: image (height, width, channels), and sizes."""

    image: tuple[int, int, int]
    features: int
    classes: int
    buffer_samples: int
    image_dtype: np.dtype[np.generic]
    feature_dtype: np.dtype[np.generic]

    def checked_images(self, images: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """``images`` in C order; ValueError unless (N, H, W, C) in the extractor's dtype."""
        return _checked("images", images, self.image, self.image_dtype)

    def checked_features(self, features: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """``features`` in C order; ValueError unless (N, F) in the extractor's dtype."""
        return _checked("features", features, (self.features,), self.feature_dtype)


class HostModel:
    """One model of an emitted project, with a head and a buffer of its own.

    Arrays are NumPy's, batches come first; images and features have the extractor's own dtype
    (int8 codes, or float32 where nothing was quantized).
    """

    # All models of a library share its arena, and one library may be loaded under several paths.
    _extracting = threading.Lock()

    def __init__(self, project: Path, build_folder: Path | None = None) -> None:
        """Load the model, building its library into ``build_folder`` (default: project/build/host).

        Raises:
            ToolchainError: there is no C++ compiler, or it refused the project.
        """
        folder = project / "build" / "host" if build_folder is None else build_folder
        self._library = library.load(library.build(project, folder))
        description = _Description()
        self._library.tinyml_describe(ctypes.byref(description))
        self.shape = _shape(description)
        self._state_floats = description.state_bytes // np.dtype(np.float32).itemsize
        self._knobs = [
            self._library.tinyml_knob_name(number).decode() for number in range(description.knobs)
        ]
        self._storage = np.zeros(description.model_bytes + ALIGNMENT, np.uint8)
        address = self._storage.ctypes.data
        self._model = ctypes.c_void_p(address + -address % ALIGNMENT)
        self._library.tinyml_create(self._model)

    def load_image(
        self, frame: npt.NDArray[np.uint8], pixel_format: str
    ) -> npt.NDArray[np.generic]:
        """A camera's frame as the network's input (H, W, C): resized as the device does it.

        ``frame`` is uint8 (height, width, bytes of a pixel) and may be a part of a larger one.
        """
        if pixel_format not in PIXEL_BYTES:
            allowed = ", ".join(PIXEL_BYTES)
            raise ValueError(f"pixel format: must be one of {allowed}; got {pixel_format!r}")
        number, size = list(PIXEL_BYTES).index(pixel_format), PIXEL_BYTES[pixel_format]
        if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != size or not frame.size:
            raise ValueError(
                f"frame: must be uint8 (height, width, {size}) for {pixel_format}; "
                f"got {frame.dtype.name} {frame.shape}"
            )
        if frame.strides[1:] != (size, 1):
            frame = np.ascontiguousarray(frame)
        height, width = frame.shape[:2]
        if pixel_format.startswith("yuv422") and width % 2:
            raise ValueError(
                f"frame: two pixels of {pixel_format} share bytes; got a width of {width}"
            )
        out = np.empty(self.shape.image, self.shape.image_dtype)
        with self._extracting:
            done = self._library.tinyml_load_image(
                number, _pointer(frame), height, width, frame.strides[0], _pointer(out)
            )
        if done < 0:
            raise ValueError(
                "frame: how the training normalised bytes is not known: generate the project with "
                "--mean and --std"
            )
        if not done:
            raise ValueError(
                f"pixel format: {pixel_format} has not the {self.shape.image[2]} channels of the "
                "network's input"
            )
        return out

    def features(self, images: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Features (N, F) of ``images`` (N, H, W, C)."""
        images = self.shape.checked_images(images)
        out = np.empty((len(images), self.shape.features), self.shape.feature_dtype)
        with self._extracting:
            self._library.tinyml_features(_pointer(images), len(images), _pointer(out))
        return out

    def logits(self, features: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        """Scores (N, C) of ``features`` (N, F), before softmax."""
        features = self.shape.checked_features(features)
        out = np.empty((len(features), self.shape.classes), np.float32)
        self._library.tinyml_logits(self._model, _pointer(features), len(features), _pointer(out))
        return out

    def predict(self, features: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
        """Classes (N,) of ``features`` (N, F)."""
        features = self.shape.checked_features(features)
        out = np.empty(len(features), np.uint8)
        self._library.tinyml_predict(self._model, _pointer(features), len(features), _pointer(out))
        return out

    def learn(self, features: npt.NDArray[np.generic], label: int) -> None:
        """Store one sample, ``features`` (F,) and its class, and train on the buffer.

        Raises:
            ValueError: the sample or the head is not finite, or out of bounds (runtime/learners/
                limits.hpp). Nothing has changed.
        """
        row = self.shape.checked_features(np.asarray(features)[np.newaxis])
        if not 0 <= label < self.shape.classes:
            raise ValueError(f"label: must be in 0..{self.shape.classes - 1}; got {label}")
        status = self._library.tinyml_learn(self._model, _pointer(row), int(label))
        if status != LEARNED:
            raise ValueError(REFUSED[status])

    def reset(self) -> None:
        """Forget all that was learned: initial head, knobs as configured, empty buffer."""
        self._library.tinyml_reset(self._model)

    @property
    def knobs(self) -> dict[str, float]:
        """What can be set of the learner, and how it is set."""
        knob = self._library.tinyml_knob
        return {name: float(knob(self._model, i)) for i, name in enumerate(self._knobs)}

    def set_knob(self, name: str, value: float) -> None:
        """Set one of the learner's knobs, until ``reset``.

        Raises:
            ValueError: there is no such knob, or the value is out of its range.
        """
        if name not in self._knobs:
            raise ValueError(f"knob: must be one of {', '.join(self._knobs)}; got {name!r}")
        number = self._knobs.index(name)
        if not self._library.tinyml_set_knob(self._model, number, value):
            least = self._library.tinyml_knob_least(number)
            most = self._library.tinyml_knob_most(number)
            raise ValueError(f"{name}: must be in {least:.3g}..{most:g}; got {value}")

    @property
    def buffer_count(self) -> int:
        """Samples in the buffer."""
        return int(self._library.tinyml_buffer_count(self._model))

    def head(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """A copy of the head as it is now: weights (C, F) and bias (C,)."""
        shape, state = self.shape, self.state()
        at = shape.features * shape.classes
        weights = state[:at].reshape(shape.features, shape.classes)
        return np.ascontiguousarray(weights.T), state[at : at + shape.classes]

    def state(self) -> npt.NDArray[np.float32]:
        """A copy of all that the learner saves: weights (F, C) row by row, bias (C,), and the rest."""
        state = np.empty(self._state_floats, np.float32)
        ctypes.memmove(_pointer(state), self._library.tinyml_state(self._model), state.nbytes)
        return state

    def set_state(self, state: npt.NDArray[np.float32]) -> None:
        """Overwrite what was learned, as a device does that loads what it saved.

        Raises:
            ValueError: it has another size.
        """
        if state.shape != (self._state_floats,) or state.dtype != np.float32:
            raise ValueError(
                f"state: must be float32 ({self._state_floats},); got {state.dtype.name} {state.shape}"
            )
        ctypes.memmove(self._library.tinyml_state(self._model), _pointer(state), state.nbytes)

    def set_head(self, weights: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> None:
        """Overwrite the head with ``weights`` (C, F) and ``bias`` (C,), whatever they hold."""
        shape = self.shape
        if weights.shape != (shape.classes, shape.features) or bias.shape != (shape.classes,):
            raise ValueError(
                f"head: must be ({shape.classes}, {shape.features}) and ({shape.classes},); "
                f"got {weights.shape} and {bias.shape}"
            )
        content = np.concatenate([weights.T.ravel(), bias]).astype(np.float32)
        ctypes.memmove(self._library.tinyml_state(self._model), _pointer(content), content.nbytes)


def _checked(
    what: str,
    array: npt.NDArray[np.generic],
    row: tuple[int, ...],
    dtype: np.dtype[np.generic],
) -> npt.NDArray[np.generic]:
    """``array`` in C order, if it is a batch of rows of this shape and dtype."""
    if array.dtype != dtype or array.ndim != len(row) + 1 or array.shape[1:] != row:
        wanted = ", ".join(["N", *map(str, row)])
        raise ValueError(
            f"{what}: must be {dtype.name} ({wanted}); got {array.dtype.name} {array.shape}"
        )
    return np.ascontiguousarray(array)


def _pointer(array: npt.NDArray[np.generic]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _shape(description: _Description) -> Shape:
    def dtype(is_float: int) -> np.dtype[np.generic]:
        return np.dtype(np.float32) if is_float else np.dtype(np.int8)

    return Shape(
        image=(description.image_height, description.image_width, description.image_channels),
        features=description.features,
        classes=description.classes,
        buffer_samples=description.buffer_samples,
        image_dtype=dtype(description.float_pixels),
        feature_dtype=dtype(description.float_features),
    )
