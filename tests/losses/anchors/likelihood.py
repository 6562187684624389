"""Values of the likelihoods; those of loss_values.json, at one spread, in test_likelihood.py."""

from tests.losses.anchors import Twin
from tests.losses.reference import likelihood as plain

SCALE = ("log_scale",)
SMALL = (2, 3, 9, 11)


def shifted(sr, hr, log_scale):
    """Without log(2 pi) / 2."""
    return plain.gaussian(sr, hr, log_scale) - 0.91893853320467274178


TWINS = [
    Twin("gaussian_nll", "the density", plain.gaussian, SCALE),
    Twin("gaussian_nll(full=False)", "the density", shifted, SCALE),
    Twin("beta_nll", "eq. 5", lambda x, y, log_scale: plain.beta(x, y, log_scale, 0.5), SCALE),
    Twin(
        "beta_nll(beta=0.8)",
        "eq. 5",
        lambda x, y, log_scale: plain.beta(x, y, log_scale, 0.8),
        SCALE,
    ),
    Twin("laplace_nll", "the density", plain.laplace, SCALE),
    Twin(
        "student_t_nll",
        "the density",
        lambda x, y, log_scale: plain.student_t(x, y, log_scale, 4.0),
        SCALE,
    ),
    Twin(
        "student_t_nll(nu=2.5)",
        "the density",
        lambda x, y, log_scale: plain.student_t(x, y, log_scale, 2.5),
        SCALE,
    ),
    Twin(
        "generalised_gaussian_nll",
        "the density",
        lambda x, y, log_scale: plain.generalised(x, y, log_scale, 1.5),
        SCALE,
    ),
    Twin(
        "generalised_gaussian_nll(power=0.7)",
        "the density, its corner rounded",
        lambda x, y, log_scale: plain.generalised(x, y, log_scale, 0.7, 1e-3),
        SCALE,
    ),
    Twin(
        "generalised_gaussian_nll(power=0.7, eps=0.5)",
        "the density, its corner rounded",
        lambda x, y, log_scale: plain.generalised(x, y, log_scale, 0.7, 0.5),
        SCALE,
    ),
    Twin("uncertainty_weighted", "sec. 3.3", plain.uncertainty_weighted, SCALE),
    Twin(
        "uncertainty_weighted(lift=0.2, normalised=False)",
        "sec. 3.3",
        lambda x, y, log_scale: plain.uncertainty_weighted(x, y, log_scale, 0.2, False),
        SCALE,
    ),
    Twin("log_loss", "the density", lambda _x, _y, log_prob: -plain.mean(log_prob), ("log_prob",)),
    Twin(
        "level_cross_entropy",
        "the sum over the levels",
        lambda _x, y, logits: plain.cross_entropy(y, logits),
        ("logits",),
    ),
    Twin(
        "level_cross_entropy(width=1.5)",
        "the sum over the levels",
        lambda _x, y, logits: plain.cross_entropy(y, logits, 1.5),
        ("logits",),
    ),
    Twin(
        "level_cross_entropy(width=1.5, subtract_entropy=False)",
        "the sum over the levels",
        lambda _x, y, logits: plain.cross_entropy(y, logits, 1.5, subtract=False),
        ("logits",),
    ),
    Twin(
        "discretised_logistic_mixture",
        "sec. 2.1, pixel by pixel",
        lambda _x, y, mixture: plain.mixture_cost(y, mixture),
        ("mixture",),
        SMALL,
    ),
]
