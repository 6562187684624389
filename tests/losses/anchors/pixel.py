"""Values of the pixel losses."""

from tests.losses.anchors import Anchor

ANCHORS = [
    Anchor(
        "l1",
        "formula",
        0.015749995744825707,
        (0.01355826184640523, 0.013556559776688452),
    ),
    Anchor(
        "mse", "formula", 0.00047858098225219645, (0.00037132319567260454, 0.00036997989555299243)
    ),
    Anchor(
        "charbonnier", "formula", 0.01588648216894626, (0.013710882676336673, 0.01370549323002697)
    ),
    Anchor(
        "charbonnier(eps=1e-6)",
        "formula",
        0.015750084109020405,
        (0.013558362810031489, 0.013556656671689878),
    ),
    Anchor(
        "charbonnier(eps=1.0, centred=True)",
        "kornia 0.9 charbonnier_loss: eps 1, less 1; formula agrees",
        0.00023914842986526546,
        (0.00018556089212169296, 0.00018488989923957767),
    ),
    Anchor(
        "huber",
        "formula; torch 2.13 huber_loss agrees",
        0.00011554819966634985,
        (9.466247310896716e-05, 9.447711020767922e-05),
    ),
]
