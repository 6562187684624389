"""Feature networks in plain float64 numpy, from the tables of their papers and of torchvision.

Weights are given by torchvision's names; the structure is written here a second time.
"""

import numpy as np

VGG = {
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}


def convolved(x, weight, bias=None, stride=1, padding=0):
    k = weight.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k), axis=(2, 3))
    windows = windows[:, :, ::stride, ::stride]
    y = np.tensordot(windows, weight, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2)
    return y if bias is None else y + bias[:, None, None]


def pooled(x, size, stride, how=np.max, whole=True):
    """`whole` leaves out windows that hang over the edge."""
    h, w = x.shape[2:]
    count = [
        (side - size) // stride + 1 if whole else -(-(side - size) // stride) + 1 for side in (h, w)
    ]
    out = np.empty((*x.shape[:2], *count))
    for i in range(count[0]):
        for j in range(count[1]):
            top, left = i * stride, j * stride
            out[:, :, i, j] = how(x[:, :, top : top + size, left : left + size], axis=(2, 3))
    return out


def l2_pooled(x):
    taps = np.array([0.25, 0.5, 0.25])
    window = np.outer(taps, taps)[None, None]
    planes = (x**2).reshape(-1, 1, *x.shape[2:])
    means = convolved(planes, window, stride=2, padding=1)
    return np.sqrt(means + 1e-12).reshape(*x.shape[:2], *means.shape[2:])


def normalised(x):
    mean = np.array([0.485, 0.456, 0.406])[:, None, None]
    spread = np.array([0.229, 0.224, 0.225])[:, None, None]
    return (x - mean) / spread


def relu(x):
    return np.maximum(x, 0)


def vgg(x, weights, net, deepest, pool=None):
    """Every map up to `deepest` by name."""
    maps, x, n, block, k = {}, normalised(x), 0, 1, 0
    for word in VGG[net].split():
        if word == "M":
            x = pooled(x, 2, 2) if pool is None else pool(x)
            maps[f"pool{block}"] = x
            n, block, k = n + 1, block + 1, 0
        else:
            k += 1
            x = convolved(x, weights[f"features.{n}.weight"], weights[f"features.{n}.bias"], 1, 1)
            assert x.shape[1] == int(word)
            maps[f"conv{block}_{k}"] = x
            x = maps[f"relu{block}_{k}"] = relu(x)
            n += 2
        if deepest in maps:
            return maps
    raise AssertionError(f"no {deepest}")


def alexnet(x, weights):
    """The five maps after the ReLUs, in order."""
    x, taps = normalised(x), []
    for n, stride, padding, pool in (
        (0, 4, 2, True),
        (3, 1, 2, True),
        (6, 1, 1, False),
        (8, 1, 1, False),
        (10, 1, 1, False),
    ):
        w, b = weights[f"features.{n}.weight"], weights[f"features.{n}.bias"]
        x = relu(convolved(x, w, b, stride, padding))
        taps.append(x)
        if pool:
            x = pooled(x, 3, 2)
    return taps


def squeezenet(x, weights):
    """The seven maps that LPIPS takes, in order."""

    def one(x, name, padding=0, stride=1):
        w, b = weights[f"features.{name}.weight"], weights[f"features.{name}.bias"]
        return relu(convolved(x, w, b, stride, padding))

    x = one(normalised(x), "0", stride=2)
    taps = [x]
    for n in range(2, 13):
        if n in (2, 5, 8):
            x = pooled(x, 3, 2, whole=False)
            continue
        s = one(x, f"{n}.squeeze")
        x = np.concatenate([one(s, f"{n}.expand1x1"), one(s, f"{n}.expand3x3", 1)], axis=1)
        if n in (4, 7, 9, 10, 11, 12):
            taps.append(x)
    return taps


def small(x, weights, depth):
    """Convolutions before and after their ReLU, and the means between."""
    x, maps = normalised(x), {}
    for k in range(1, depth + 1):
        x = maps[f"conv{k}"] = convolved(x, weights[f"features.{3 * k - 3}.weight"], None, 1, 1)
        x = maps[f"relu{k}"] = relu(x)
        x = pooled(x, 2, 2, how=np.mean)
    return maps


def lpips(xs, ys, heads):
    """Zhang et al. (CVPR 2018), eq. 1, with the constant of the root under it."""
    total = 0
    for x, y, head in zip(xs, ys, heads, strict=True):
        u, v = (m / np.sqrt((m**2).sum(axis=1, keepdims=True) + 1e-10) for m in (x, y))
        total = total + ((u - v) ** 2 * head.reshape(1, -1, 1, 1)).sum(axis=1).mean(axis=(1, 2))
    return total


def gram(maps):
    n, c, h, w = maps.shape
    rows = maps.reshape(n, c, h * w)
    return np.einsum("nip,njp->nij", rows, rows)
