"""Losses of features beyond the difference of maps, in plain float64 numpy from their papers."""

import numpy as np


def unit(maps):
    return maps / np.sqrt((maps**2).sum(axis=1, keepdims=True) + 1e-10)


def cosine(x, y):
    return 1 - (unit(x) * unit(y)).sum(axis=1).mean(axis=(1, 2))


def contextual(x, y, *, bandwidth=0.5):
    """Mechrez et al., eqs. 1 to 4: loops over the places of sr."""
    values = []
    for a, b in zip(x, y, strict=True):
        centre = b.mean(axis=(1, 2), keepdims=True)
        u, v = (unit((m - centre)[None])[0].reshape(len(m), -1).T for m in (a, b))
        table = np.empty((len(u), len(v)))
        for i, feature in enumerate(u):
            d = 1 - v @ feature
            w = np.exp((1 - d / (d.min() + 1e-5)) / bandwidth)
            table[i] = w / w.sum()
        values.append(-np.log(table.max(axis=0).mean()))
    return np.array(values)


def pooled_means(maps, k):
    """Means of k x k places; at the right and lower edge of those that there are."""
    h, w = maps.shape[2:]
    rows = [maps[:, :, i : i + k].mean(axis=2) for i in range(0, h, k)]
    # every column block of every row block has k rows or fewer, all of one height
    return np.stack(
        [np.stack([row[:, :, j : j + k].mean(axis=2) for j in range(0, w, k)], 2) for row in rows],
        2,
    )


def dists(pairs, alpha, beta):
    """Ding et al., eq. 7, with l and s as they stand in eqs. 5 and 6."""
    total, at = 0, 0
    for x, y in pairs:
        c = x.shape[1]
        mx, my = x.mean(axis=(2, 3)), y.mean(axis=(2, 3))
        vx, vy = x.var(axis=(2, 3)), y.var(axis=(2, 3))
        cov = (x * y).mean(axis=(2, 3)) - mx * my
        likeness = (2 * mx * my + 1e-6) / (mx**2 + my**2 + 1e-6)
        structure = (2 * cov + 1e-6) / (vx + vy + 1e-6)
        total = total + (alpha[at : at + c] * likeness + beta[at : at + c] * structure).sum(axis=1)
        at += c
    return 1 - total / (alpha.sum() + beta.sum())


def texture(x, y, patch, power=2):
    """Gram matrices of patches cut with loops."""
    n, c, h, w = x.shape
    found = []
    for top in range(0, h, patch):
        for left in range(0, w, patch):
            a, b = (
                m[:, :, top : top + patch, left : left + patch].reshape(n, c, -1) for m in (x, y)
            )
            difference = (a @ a.transpose(0, 2, 1) - b @ b.transpose(0, 2, 1)) / (c * patch**2)
            found.append((abs(difference) ** power).mean(axis=(1, 2)))
    return np.mean(found, axis=0)


def moved(x, y):
    """Sum over channels of W1."""
    a, b = (np.sort(m.reshape(*m.shape[:2], -1), axis=2) for m in (x, y))
    return abs(a - b).mean(axis=2).sum(axis=1)


def sliced(x, y, projections, seed):
    drawn = np.random.RandomState(seed).standard_normal((projections, x.shape[1]))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    a, b = (np.einsum("pc,nchw->nphw", drawn, m) for m in (x, y))
    return moved(a, b) / projections


def _wave(angles, k, scale, period):
    """A sampled Morlet wave on a torus of `period` samples: the formula in space, summed."""
    sigma, xi, slant = 0.8 * 2**scale, 3 * np.pi / 4 / 2**scale, 4 / angles
    theta = np.pi * k / angles
    reach = range(-(int(60 * 2**scale / min(period)) + 1), int(60 * 2**scale / min(period)) + 2)
    h, w = period
    wave, flat = np.zeros(period, complex), np.zeros(period)
    for down in reach:
        for across in reach:
            v = (np.arange(h) + down * h)[:, None]
            u = (np.arange(w) + across * w)[None]
            a, b = u * np.cos(theta) + v * np.sin(theta), v * np.cos(theta) - u * np.sin(theta)
            bell = np.exp(-(a**2 + (slant * b) ** 2) / (2 * sigma**2)) * slant
            bell = bell / (2 * np.pi * sigma**2)
            wave += bell * np.exp(1j * xi * a)
            flat += bell
    return wave - wave.sum() / flat.sum() * flat


def _bell(sigma, period):
    h, w = period
    reach, total = range(-4, 5), np.zeros(period)
    for down in reach:
        for across in reach:
            v = (np.arange(h) + down * h)[:, None]
            u = (np.arange(w) + across * w)[None]
            total += np.exp(-(u**2 + v**2) / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    return total


def _on_torus(x, kernel, step):
    spectrum = np.fft.fft2(x) * np.fft.fft2(kernel)
    return np.fft.ifft2(spectrum)[..., ::step, ::step]


def _coefficients(x, level, first, order, scales, angles):
    """All maps below x as a list, each at every 2^scales-th pixel."""
    step = 2 ** (scales - level)
    size = x.shape[-2:]
    out = [_on_torus(x, _bell(0.8 * step / 2, size), step).real]
    for scale in range(first, scales) if order else ():
        for k in range(angles):
            z = _on_torus(x, _wave(angles, k, scale - level, size), 2 ** (scale - level))
            size_of = np.sqrt(abs(z) ** 2 + 1e-8)
            out += _coefficients(size_of, scale, scale + 1, order - 1, scales, angles)
    return out


def scattering(sr, hr, *, scales=3, angles=6, order=2):
    step = 2**scales
    h, w = sr.shape[2:]
    margin = [(0, 0), (0, 0), (step, step + -h % step), (step, step + -w % step)]
    x, y = (np.pad(p, margin, mode="reflect") for p in (sr, hr))
    parts = [
        abs(a - b)[..., 1:-1, 1:-1]
        for a, b in zip(
            _coefficients(x, 0, 0, order, scales, angles),
            _coefficients(y, 0, 0, order, scales, angles),
            strict=True,
        )
    ]
    return np.mean([part.mean(axis=(1, 2, 3)) for part in parts], axis=0)
