"""Values of the losses that follow another network."""

import numpy as np
from tests.losses.anchors import Twin

FEATURES = ("student_features", "teacher_features")


def mean(values):
    return values.reshape(len(values), -1).mean(axis=1)


def from_picture(distance):
    """Of the error to the picture that is supplied; the target is not looked at."""

    def loss(sr, hr, *, teacher=None, sr_ema=None):
        return mean(distance(sr - (sr_ema if teacher is None else teacher)))

    return loss


def by_layer(distance):
    """The mean over the layers of a distance of two (n, c, h, w)."""

    def loss(sr, hr, *, student_features, teacher_features):
        both = zip(student_features, teacher_features, strict=True)
        return np.mean([distance(np.asarray(a), np.asarray(b)) for a, b in both], axis=0)

    return loss


def unit(maps):
    return maps / np.sqrt((maps**2).sum(axis=1, keepdims=True) + 1e-12)


def attention(maps):
    """Eq. 2 of the paper with p = 2: Q / ||Q||, Q the squares summed over the channels."""
    q = (maps**2).sum(axis=1).reshape(len(maps), -1)
    return q / np.linalg.norm(q, axis=1, keepdims=True)


TWINS = [
    Twin(
        "output_distillation",
        "l1 to the teacher",
        from_picture(abs),
        needs=("teacher",),
    ),
    Twin(
        "output_distillation(base='mse')",
        "squared error to the teacher",
        from_picture(np.square),
        needs=("teacher",),
    ),
    Twin(
        "output_distillation(base='charbonnier')",
        "charbonnier to the teacher",
        from_picture(lambda e: np.sqrt(e**2 + 1e-6)),
        needs=("teacher",),
    ),
    Twin(
        "ema_consistency",
        "l1 to the average's result",
        from_picture(abs),
        needs=("sr_ema",),
    ),
    Twin(
        "feature_distillation",
        "l1 by layer",
        by_layer(lambda a, b: mean(abs(a - b))),
        needs=FEATURES,
    ),
    Twin(
        "feature_distillation(base='mse')",
        "FitNets' squared error by layer",
        by_layer(lambda a, b: mean((a - b) ** 2)),
        needs=FEATURES,
    ),
    Twin(
        "feature_distillation(normalised=True)",
        "l1 of unit vectors by layer",
        by_layer(lambda a, b: mean(abs(unit(a) - unit(b)))),
        needs=FEATURES,
    ),
    Twin(
        "attention_transfer",
        "Zagoruyko 2017, eq. 2",
        by_layer(lambda a, b: np.linalg.norm(attention(a) - attention(b), axis=1)),
        needs=FEATURES,
    ),
]
