"""Values of the frequency losses."""

from tests.losses.anchors import Anchor

ANCHORS = [
    Anchor(
        "fft",
        "formula",
        0.005638435069060078,
        (0.00589380779747776, 0.005895889390631482),
    ),
    Anchor(
        "fft(norm='backward')",
        "formula",
        1.0825795332595345,
        (0.4619782958674331, 0.4621414587819511),
    ),
    Anchor(
        "fft(norm='forward')",
        "formula",
        2.9366849318021223e-05,
        (7.519177992634003e-05, 7.521833639029154e-05),
    ),
    Anchor(
        "fft(norm='backward', part='modulus')",
        "formula",
        1.6997590238563367,
        (0.72273523622971, 0.7258738170572177),
    ),
    Anchor(
        "fft(part='modulus', plane='whole')",
        "formula",
        0.00882843307724595,
        (0.009086749837182669, 0.00912388198155546),
    ),
]
