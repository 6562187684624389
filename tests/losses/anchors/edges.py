"""Values of the losses of edges."""

from functools import partial

from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import edges


def per_neighbour(down: tuple[float, float], across: tuple[float, float]) -> tuple[float, float]:
    """Means of sums over the neighbours of pair b, of which an axis has its own number."""
    first, second = (
        d / (3 * 63 * 96) + a / (3 * 64 * 95) for d, a in zip(down, across, strict=True)
    )
    return first, second


ANCHORS = [
    Anchor(
        "total_variation",
        "formula: sums over the number of neighbours; piq (l1), kornia, torchmetrics agree on sums",
        6372.949019607843 / (3 * 192 * 191),
        per_neighbour((449.5960784313726, 441.6392156862745), (497.15294117647056, 466.6666666667)),
    ),
    Anchor(
        "total_variation(p=2)",
        "formula; the root of its sum is piq's (l2)",
        302.6613148788927 / (3 * 192 * 191),
        per_neighbour(
            (19.24978085351788, 18.8155017301038), (20.90232987312572, 19.12510572856593)
        ),
    ),
    Anchor(
        "gradient(luma=True)",
        "formula with Sobel as integers, 8 times ours",
        0.03757246678836465 / 8,
        (0.028606399356617646 / 8, 0.02846769939746732 / 8),
    ),
    Anchor(
        "laplacian(sigma=0.0, eps=1e-9, luma=True)",
        "formula: |0 1 0; 1 -4 1; 0 1 0| of the luma",
        0.02567040653935185,
        (0.02339229026245915, 0.02336014539930555),
    ),
    Anchor(
        "ldl",
        "formula; BasicSR's map with hr for the averaged result agrees",
        4.3371582349580574e-06,
        (3.3161996340140636e-06, 3.2970675526453025e-06),
        tolerance=1e-14,
        tolerance32=1e-10,
    ),
]

TWINS = [
    Twin("gradient_magnitude", "plain correlations", edges.gradient_magnitude),
    Twin(
        "gradient_magnitude(kernel='prewitt', eps=0.05)",
        "plain correlations",
        partial(edges.gradient_magnitude, kernel="prewitt", eps=0.05),
    ),
    Twin(
        "gradient_magnitude(kernel='scharr')",
        "plain correlations",
        partial(edges.gradient_magnitude, kernel="scharr"),
    ),
    Twin("gradient_variance", "eqs. 2 to 5, border mirrored", edges.gradient_variance),
    Twin(
        "gradient_variance(patch=5)",
        "eqs. 2 to 5, border mirrored",
        partial(edges.gradient_variance, patch=5),
    ),
    Twin("gradient_weighted", "plain correlations", edges.gradient_weighted),
    Twin(
        "gradient_weighted(gain=1.5)",
        "plain correlations",
        partial(edges.gradient_weighted, gain=1.5),
    ),
    Twin("laplacian", "one kernel of 9 x 9", edges.laplacian),
    Twin(
        "laplacian(sigma=0.6, eps=0.05)",
        "one kernel of 7 x 7",
        partial(edges.laplacian, sigma=0.6, eps=0.05),
    ),
    Twin("ldl(window=5)", "windows one by one", partial(edges.ldl, window=5)),
    Twin("ldl_ema", "windows one by one", edges.ldl, needs=("sr_ema",)),
    Twin("second_order", "sums of neighbours", edges.second_order),
    Twin("structure_tensor", "plain correlations", edges.structure_tensor),
    Twin(
        "structure_tensor(sigma=0.7)",
        "plain correlations",
        partial(edges.structure_tensor, sigma=0.7),
    ),
]
