"""Forecasts of physical fields with Walrus, from NumPy arrays, over the C library.

    model = gowalrus.Model("nano", seed=1, library="./libgowalrus.so")
    forecast = model.forecast(frames, "pressure,velocity:vector", "wall/open,wall/open", steps=20)
    model.close()

frames is [T, C, X], [T, C, X, Y] or [T, C, X, Y, Z] in physical units. Results have the same
axes. float32 arrays in C order are passed without a copy, others with one. The module needs
NumPy and nothing else; gowalrus.h documents the texts of fields and boundaries.
"""

import ctypes
import json

import numpy as np

ABI = 1
NULL, LENGTH, MODEL, WINDOW, WEIGHTS, FORECAST, INTERNAL = range(1, 8)


class Error(Exception):
    """An error of the library. code is one of the codes of gowalrus.h."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


_floats = ctypes.POINTER(ctypes.c_float)


class _Window(ctypes.Structure):
    _fields_ = [
        ("fields", ctypes.c_char_p), ("boundaries", ctypes.c_char_p), ("axes", ctypes.c_int64), ("grid", ctypes.c_int64 * 3),
        ("history", ctypes.c_int64), ("frames", _floats), ("frames_length", ctypes.c_size_t), ("constants", _floats), ("constants_length", ctypes.c_size_t),
    ]


def _load(path):
    lib = ctypes.CDLL(path)
    size, i64 = ctypes.c_size_t, ctypes.c_int64
    window = ctypes.POINTER(_Window)
    lib.gowalrus_abi.restype = i64
    lib.gowalrus_last_error.restype = ctypes.c_char_p
    lib.gowalrus_open.argtypes = [ctypes.c_char_p, ctypes.c_uint64, ctypes.POINTER(i64)]
    lib.gowalrus_close.argtypes = [i64]
    lib.gowalrus_describe.argtypes = [i64, ctypes.c_char_p, size, ctypes.POINTER(size)]
    lib.gowalrus_forecast.argtypes = [i64, window, i64, _floats, size]
    lib.gowalrus_ensemble.argtypes = [i64, window, i64, i64, _floats, size]
    lib.gowalrus_vjp.argtypes = [i64, window, i64, _floats, size, _floats, size, _floats, size]
    if lib.gowalrus_abi() != ABI:
        raise Error(INTERNAL, f"{path}: expected a library of ABI {ABI}, got {lib.gowalrus_abi()}")
    return lib


class Model:
    """An open model. It may be used by several threads."""

    def __init__(self, weights="nano", seed=1, library="libgowalrus.so"):
        self._lib, self._id = _load(library), ctypes.c_int64()
        self._check(self._lib.gowalrus_open(str(weights).encode(), seed, ctypes.byref(self._id)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _check(self, code):
        if code:
            raise Error(code, self._lib.gowalrus_last_error().decode(errors="replace"))

    def close(self):
        """Frees the model. Later calls raise Error with the code MODEL."""
        self._check(self._lib.gowalrus_close(self._id))

    def describe(self):
        """Returns the name, the number of parameters and the known channels."""
        needed = ctypes.c_size_t()
        code = self._lib.gowalrus_describe(self._id, None, 0, ctypes.byref(needed))
        if not needed.value:
            self._check(code)
        text = ctypes.create_string_buffer(needed.value)
        self._check(self._lib.gowalrus_describe(self._id, text, needed.value, None))
        return json.loads(text.value)

    def forecast(self, frames, fields, boundaries, steps, constants=None):
        """Returns the next steps frames as an array [steps, C, X, …]."""
        return self._run(frames, fields, boundaries, steps, None, constants)

    def ensemble(self, frames, fields, boundaries, steps, members, constants=None):
        """Returns an array [steps, members, C, X, …]. Members differ in their random draws."""
        return self._run(frames, fields, boundaries, steps, members, constants)

    def vjp(self, frames, fields, boundaries, cotangents, constants=None):
        """Returns the derivatives of a function of a forecast with respect to frames and constants.

        cotangents [steps, C, X, …] are the derivatives of the function with respect to the
        forecast of forecast(..., steps). The result is a pair; its second part is None without
        constants. It is the backward pass of a custom function in torch, jax or autograd.
        """
        w, frames, constants = self._window(frames, fields, boundaries, constants)
        cotangents = np.ascontiguousarray(cotangents, dtype=np.float32)
        if cotangents.shape[1:] != frames.shape[1:] or len(cotangents) < 1:
            raise Error(LENGTH, f"expected cotangents of the shape (steps,) + {frames.shape[1:]}, got {cotangents.shape}")
        out = np.empty_like(frames)
        more = None if constants is None else np.empty_like(constants)
        self._check(self._lib.gowalrus_vjp(
            self._id, ctypes.byref(w), len(cotangents), cotangents.ctypes.data_as(_floats), cotangents.size, out.ctypes.data_as(_floats), out.size,
            None if more is None else more.ctypes.data_as(_floats), 0 if more is None else more.size))
        return out, more

    def _window(self, frames, fields, boundaries, constants):
        """Returns the window and the arrays that it points to, which must live as long."""
        frames = np.ascontiguousarray(frames, dtype=np.float32)
        if frames.ndim < 3 or frames.ndim > 5:
            raise Error(WINDOW, f"expected frames [T, C, X], [T, C, X, Y] or [T, C, X, Y, Z], got the shape {frames.shape}")
        grid = frames.shape[2:]
        w = _Window(fields=fields.encode(), boundaries=boundaries.encode(), axes=len(grid), grid=(ctypes.c_int64 * 3)(*grid, *[1] * (3 - len(grid))),
                    history=frames.shape[0], frames=frames.ctypes.data_as(_floats), frames_length=frames.size)
        if constants is not None:
            constants = np.ascontiguousarray(constants, dtype=np.float32)
            w.constants, w.constants_length = constants.ctypes.data_as(_floats), constants.size
        return w, frames, constants

    def _run(self, frames, fields, boundaries, steps, members, constants):
        w, frames, constants = self._window(frames, fields, boundaries, constants)
        if steps < 1 or members is not None and members < 1:
            raise Error(WINDOW, f"expected at least one step and one member, got {steps} and {members}")
        shape = (steps,) + (() if members is None else (members,)) + frames.shape[1:]
        out = np.empty(shape, dtype=np.float32)
        p = out.ctypes.data_as(_floats)
        if members is None:
            code = self._lib.gowalrus_forecast(self._id, ctypes.byref(w), steps, p, out.size)
        else:
            code = self._lib.gowalrus_ensemble(self._id, ctypes.byref(w), steps, members, p, out.size)
        self._check(code)
        return out
