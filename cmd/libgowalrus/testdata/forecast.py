"""Forecasts with walrus-nano and differentiates the forecast. usage: forecast.py LIBRARY HISTORY FORECAST"""

import sys

import numpy as np

import gowalrus

library, source, target = sys.argv[1:]
history = np.fromfile(source, dtype=np.float32).reshape(6, 3, 16, 16)
fields, boundaries = "pressure,velocity:vector", "wall/open,wall/open"


def fails(code, call):
    try:
        call()
    except gowalrus.Error as e:
        assert e.code == code and str(e), (e.code, e)
        return
    raise AssertionError(f"expected an error with the code {code}")


model = gowalrus.Model("nano", seed=7, library=library)
assert "pressure" in model.describe()["channels"]
forecast = model.forecast(history, fields, boundaries, steps=2)
# Another type and order of memory are copied once.
other = np.asfortranarray(history.astype(np.float64))
assert np.array_equal(forecast, model.forecast(other, fields, boundaries, steps=2))
members = model.ensemble(history, fields, boundaries, steps=1, members=2)
assert members.shape == (1, 2, 3, 16, 16) and not np.array_equal(members[0, 0], members[0, 1])
# The derivatives of half the sum of all squares of the forecast.
gradient, none = model.vjp(history, fields, boundaries, forecast)
assert none is None
mask = np.zeros((1, 16, 16))
gradient_mask = model.vjp(history, fields + ",mask:constant", boundaries, forecast, constants=mask)[1]
assert gradient_mask.shape == mask.shape and np.isfinite(gradient_mask).all() and gradient_mask.any()
fails(gowalrus.LENGTH, lambda: model.vjp(history, fields, boundaries, forecast[:, :2]))
fails(gowalrus.LENGTH, lambda: model.vjp(history, fields, boundaries, forecast[:0]))
fails(gowalrus.LENGTH, lambda: model.vjp(history, fields, boundaries, forecast, constants=mask))
fails(gowalrus.WINDOW, lambda: model.forecast(history, "wind:vector,pressure", boundaries, steps=1))
fails(gowalrus.LENGTH, lambda: model.forecast(history, fields + ",mask:constant", boundaries, steps=1, constants=np.zeros(3)))
fails(gowalrus.WINDOW, lambda: model.forecast(history[0, 0], fields, boundaries, steps=1))
fails(gowalrus.WINDOW, lambda: model.forecast(history, fields, boundaries, steps=0))
fails(gowalrus.WEIGHTS, lambda: gowalrus.Model("no/such/weights", library=library))
model.close()
fails(gowalrus.MODEL, model.close)
fails(gowalrus.MODEL, model.describe)
np.concatenate([forecast.ravel(), gradient.ravel()]).tofile(target)
