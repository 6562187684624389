"""Values of the losses of edges."""

from tests.losses.anchors import Anchor

ANCHORS = [
    Anchor(
        "total_variation",
        "formula: sums over the number of neighbours; piq (l1), kornia, torchmetrics agree on sums",
        6372.949019607843 / (3 * 192 * 191),
        None,
    ),
    Anchor("total_variation(p=2)", "formula", 302.6613148788927 / (3 * 192 * 191), None),
]
