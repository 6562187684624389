"""What a generator pays, from the discriminator's weights on: convolutions tap by tap, in float64.

The games are written from the papers' probabilities, D = 1 / (1 + e^-z), and not from softplus.
"""

import numpy as np


def convolved(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, stride: int) -> np.ndarray:
    """Cross-correlation with a border of one zero."""
    side = weight.shape[2]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    h, w = ((s + 2 - side) // stride + 1 for s in x.shape[2:])
    total = np.zeros((len(x), len(weight), h, w))
    for i in range(side):
        for j in range(side):
            taps = padded[:, :, i : i + stride * h : stride, j : j + stride * w : stride]
            total += np.einsum("oc,nchw->nohw", weight[:, :, i, j], taps)
    return total + bias[:, None, None]


def layer(weights: dict[str, np.ndarray], name: str, x: np.ndarray, stride: int) -> np.ndarray:
    weight = weights[f"{name}.weight"]
    if f"{name}.u" in weights:  # Miyato et al. 2018, eq. 9: W / (u^T W v), v along W^T u
        matrix, u = weight.reshape(len(weight), -1), weights[f"{name}.u"]
        v = matrix.T @ u / np.sqrt(((matrix.T @ u) ** 2).sum())
        weight = weight / (u @ matrix @ v)
    return convolved(x, weight, weights[f"{name}.bias"], stride)


def rectified(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.2 * x)


def enlarged(x: np.ndarray, h: int, w: int) -> np.ndarray:
    """Every pixel repeated."""
    rows, columns = np.arange(h) * x.shape[2] // h, np.arange(w) * x.shape[3] // w
    return x[:, :, rows][..., columns]


def patch(weights: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    one = rectified(layer(weights, "down.0", x, 2))
    two = rectified(layer(weights, "down.1", one, 2))
    three = rectified(layer(weights, "down.2", two, 2))
    return layer(weights, "judge", three, 1), [one, two, three]


def unet(weights: dict[str, np.ndarray], x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    one = rectified(layer(weights, "steps.0", x, 1))
    two = rectified(layer(weights, "steps.1", one, 2))
    four = rectified(layer(weights, "steps.2", two, 2))
    up = rectified(layer(weights, "steps.3", enlarged(four, *two.shape[2:]), 1)) + two
    top = rectified(layer(weights, "steps.4", enlarged(up, *one.shape[2:]), 1)) + one
    return layer(weights, "judge", top, 1), [one, two, four, up, top]


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def average(z: np.ndarray) -> np.ndarray:
    return z.mean(axis=(1, 2, 3), keepdims=True)


GENERATORS = {
    "vanilla": lambda f, _r: -np.log(sigmoid(f)),
    "saturating": lambda f, _r: np.log(1 - sigmoid(f)),
    "relativistic_average": lambda f, r: (
        -(np.log(1 - sigmoid(r - average(f))) + np.log(sigmoid(f - average(r)))) / 2
    ),
    "relativistic_average over the batch": lambda f, r: (
        -(np.log(1 - sigmoid(r - f.mean())) + np.log(sigmoid(f - r.mean()))) / 2
    ),
    "relativistic_pairing": lambda f, r: -np.log(sigmoid(f - r)),
    "hinge": lambda f, _r: -f,
    "least_squares": lambda f, _r: (f - 1) ** 2,
    "wasserstein": lambda f, _r: -f,
}

DISCRIMINATORS = {
    "vanilla": lambda f, r: -np.log(sigmoid(r)) - np.log(1 - sigmoid(f)),
    "relativistic_average": lambda f, r: (
        -(np.log(sigmoid(r - average(f))) + np.log(1 - sigmoid(f - average(r)))) / 2
    ),
    "relativistic_average over the batch": lambda f, r: (
        -(np.log(sigmoid(r - f.mean())) + np.log(1 - sigmoid(f - r.mean()))) / 2
    ),
    "relativistic_pairing": lambda f, r: -np.log(sigmoid(r - f)),
    "hinge": lambda f, r: np.maximum(0, 1 - r) + np.maximum(0, 1 + f),
    "least_squares": lambda f, r: (r - 1) ** 2 + f**2,
    "wasserstein": lambda f, r: f - r,
}
DISCRIMINATORS["saturating"] = DISCRIMINATORS["vanilla"]


def generator_pays(
    sr: np.ndarray, hr: np.ndarray, weights: dict[str, np.ndarray], kind: str, matching: float
) -> np.ndarray:
    """Per picture; `matching` is the weight of the features' mean absolute differences."""
    network = unet if "steps.0.weight" in weights else patch
    z_f, fake = network(weights, 2 * np.repeat(sr, 3 // sr.shape[1], axis=1) - 1)
    z_r, real = network(weights, 2 * np.repeat(hr, 3 // hr.shape[1], axis=1) - 1)
    apart = sum(np.abs(a - b).mean(axis=(1, 2, 3)) for a, b in zip(fake, real, strict=True))
    return GENERATORS[kind](z_f, z_r).mean(axis=(1, 2, 3)) + matching * apart
