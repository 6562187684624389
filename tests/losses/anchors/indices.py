"""Values of the likeness indices among the structure losses."""

from tests.losses.anchors import Anchor, Twin
from tests.losses.reference import indices

# Under float32 pictures an index of 1 - 1e-2 or so keeps six digits; the fourth root of MDSI and
# the variances of VIF take one or two of them.
ANCHORS = [
    Anchor(
        "gmsd",
        "formula; piq 0.8 agrees",
        0.007891550987416653,
        (0.0034329950054760154, 0.0038481496510677222),
    ),
    Anchor(
        "ms_gmsd", "piq 0.8", 0.011292683114157483, (0.006492595393356533, 0.006998117509052084)
    ),
    Anchor(
        "ms_gmsd(chromatic=True)",
        "piq 0.8",
        0.015840332667149813,
        (0.012457586870035066, 0.01267801465619051),
    ),
    Anchor(
        "mdsi",
        "formula; piq 0.8 agrees",
        0.25673451997945296,
        (0.235158406254374, 0.23924468369698645),
    ),
    Anchor(
        "haarpsi",
        "formula; piq 0.8 agrees",
        1 - 0.9734160498807881,
        (1 - 0.9872604560770432, 1 - 0.9879584497858924),
    ),
    Anchor(
        "vif",
        "formula; piq 0.8 agrees to 5e-10",
        1 - 0.7593949644261309,
        (1 - 0.7854372378455469, 1 - 0.7689773015173901),
    ),
    Anchor(
        "vif(luma=False)",
        "formula; torchmetrics 1.9 with levels 0 to 255 agrees",
        1 - 0.6291716963265407,
        (1 - 0.6350606531895523, 1 - 0.6226784456187237),
    ),
    Anchor(
        "fsim", "piq 0.8", 1 - 0.975627392422646, (1 - 0.983620595693862, 1 - 0.9831867089424114)
    ),
    Anchor(
        "fsim(chromatic=False)",
        "piq 0.8",
        1 - 0.9777689222266024,
        (1 - 0.9854658819333157, 1 - 0.9850312099879912),
    ),
    Anchor(
        "nlpd",
        "pyiqa, in float32",
        0.07455312460660934,
        (0.06354149430990219, 0.06417246907949448),
        tolerance=2e-7,
    ),
]

ODD = (2, 3, 45, 58)

TWINS = [
    Twin("gmsd", "Xue et al. 2014, eqs. 1 to 6", indices.gmsd, shape=ODD),
    Twin(
        "gmsd", "Xue et al. 2014: a grey picture is its own luma", indices.gmsd, shape=(2, 1, 9, 14)
    ),
    Twin("ms_gmsd", "Zhang et al. 2017", indices.ms_gmsd, shape=ODD),
    Twin(
        "ms_gmsd(chromatic=True)",
        "Zhang et al. 2017",
        lambda sr, hr: indices.ms_gmsd(sr, hr, chromatic=True),
        shape=ODD,
    ),
    Twin("mdsi", "Nafchi et al. 2016, eqs. 3 to 13", indices.mdsi, shape=ODD),
    Twin("haarpsi", "Reisenhofer et al. 2018, eqs. 7 to 12", indices.haarpsi, shape=ODD),
    Twin("haarpsi", "grey: no chroma", indices.haarpsi, shape=(2, 1, 20, 17)),
    Twin("vif", "Sheikh and Bovik's code", indices.vif, shape=ODD),
    Twin(
        "vif(noise=0.4, luma=False)",
        "Sheikh and Bovik's code",
        lambda sr, hr: indices.vif(sr, hr, noise=0.4, grey=False),
        shape=ODD,
    ),
    Twin("fsim", "Zhang et al. 2011, eqs. 3 to 8", indices.fsim, shape=ODD),
    Twin(
        "fsim",
        "Zhang et al. 2011: a grey picture has no chroma to differ in",
        lambda sr, hr: indices.fsim(sr, hr, chromatic=False),
        shape=(2, 1, 30, 33),
    ),
    Twin("nlpd", "Laparra et al. 2016", indices.nlpd, shape=ODD),
    Twin(
        "nlpd(levels=3)",
        "Laparra et al. 2016",
        lambda sr, hr: indices.nlpd(sr, hr, levels=3),
        shape=(2, 1, 7, 12),
    ),
    Twin("ncc", "the correlation coefficient", indices.ncc, tolerance=1e-8),
    Twin(
        "ncc(eps=0.05)",
        "the correlation coefficient",
        lambda sr, hr: indices.ncc(sr, hr, eps=0.05),
    ),
]
