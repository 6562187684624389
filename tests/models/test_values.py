"""Numbers that others published, and those that our own list claims."""

import pytest
import torch

from acutance.models import MODELS, build
from acutance.models.listing import listed_networks, written_presets
from acutance.upscaling.merging import merged

# The papers' own counts, as the comparison tables of later papers repeat them: weights and biases;
# for EDSR without the fixed mean shift.
PUBLISHED = [
    ("srcnn:915", 2, 8_129),
    ("srcnn:915", 3, 8_129),
    ("srcnn:915", 4, 8_129),
    ("srcnn:955", 2, 57_281),
    ("srcnn:955", 3, 57_281),
    ("srcnn:955", 4, 57_281),
    ("espcn", 2, 21_284),
    ("espcn", 3, 22_729),
    ("espcn", 4, 24_752),
    ("vdsr", 2, 665_921),
    ("vdsr", 3, 665_921),
    ("vdsr", 4, 665_921),
    ("edsr:baseline", 2, 1_369_859),
    ("edsr:baseline", 3, 1_554_499),
    ("edsr:baseline", 4, 1_517_571),
    ("edsr:full", 2, 40_729_603),
    ("edsr:full", 3, 43_680_003),
    ("edsr:full", 4, 43_089_923),
    ("compact:video", 4, 621_424),
    ("compact:general", 4, 1_213_296),
    ("imdn", 2, 694_404),
    ("imdn", 3, 703_059),
    ("imdn", 4, 715_176),
    ("pan", 2, 261_403),
    ("pan", 3, 261_403),
    ("pan", 4, 272_419),
    ("rlfn", 2, 526_856),
    ("rlfn", 4, 543_740),
    ("esrgan:paper", 4, 16_697_987),
]


def meta_network(name: str, scale: int):
    with torch.device("meta"):
        return build(name, scale=scale)


@pytest.mark.parametrize(("name", "scale", "count"), PUBLISHED)
def test_parameter_counts_are_the_published_ones(name, scale, count):
    assert sum(p.numel() for p in meta_network(name, scale).parameters()) == count


# By the paper's figure 4; only the last factor's convolution is wider for x3. In this order:
# 9x9 and PReLU; 16 blocks of two convolutions without bias, two norms, a PReLU; the last of these
# alone; for each factor a convolution with bias and a PReLU; 9x9.
def srresnet_by_hand(factors: tuple[int, ...]) -> int:
    conv, norm, slopes = 9 * 64 * 64, 2 * 64, 64
    blocks = 16 * (2 * conv + 2 * norm + slopes) + conv + norm
    tail = sum((conv + 64) * factor**2 + slopes for factor in factors)
    return 81 * 3 * 64 + 64 + slopes + blocks + tail + 81 * 64 * 3 + 3


@pytest.mark.parametrize(
    ("scale", "factors", "count"),
    [(2, (2,), 1_400_771), (3, (3,), 1_585_411), (4, (2, 2), 1_548_547)],
)
def test_srresnet_has_the_parameters_of_its_definition(scale, factors, count):
    network = meta_network("srresnet:paper", scale)
    assert sum(p.numel() for p in network.parameters()) == srresnet_by_hand(factors) == count


def test_fsrcnn_s_has_3937_weights():
    """Dong et al., ECCV 2016, table 3: again without biases and slopes."""
    kernels = [p for p in meta_network("fsrcnn:tiny", 2).parameters() if p.ndim == 4]
    assert sum(p.numel() for p in kernels) == 3_937


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_fsrcnn_has_12464_weights(scale):
    """Dong et al., ECCV 2016, sec. 3.3: counted without biases and the slopes of PReLU."""
    kernels = [p for p in meta_network("fsrcnn", scale).parameters() if p.ndim == 4]
    assert sum(p.numel() for p in kernels) == 12_464


@pytest.mark.parametrize(("scale", "count"), [(2, 406_672), (4, 812_768)])
def test_lapsrn_has_813_thousand_weights(scale, count):
    """The tables' 813 K at x4 and, of MS-LapSRN with its levels shared, 407 K: no biases."""
    kernels = [p for p in meta_network("lapsrn", scale).parameters() if p.ndim == 4]
    assert sum(p.numel() for p in kernels) == count


@pytest.mark.parametrize(("scale", "count"), [(2, 410_700), (4, 426_288)])
def test_span_merged_has_the_426_thousand_weights_of_its_paper(scale, count):
    """Wan et al., CVPRW 2024, x4, 48 features; by hand, convolutions merged."""
    by_hand = 48 * 27 + 48 + 19 * (48 * 48 * 9 + 48) + 4 * 48 * 48 + 48
    by_hand += 48 * 9 * 3 * scale**2 + 3 * scale**2
    network = merged(meta_network("span:paper", scale))
    assert sum(p.numel() for p in network.parameters()) == by_hand == count


@pytest.mark.parametrize(("name", "count"), [("compact:nano", 14_660), ("compact:small", 56_964)])
def test_own_presets_are_of_the_size_that_two_cores_train(name, count):
    """By hand: 9 f + f, 6 (9 f^2 + f), 36 f + 4 for f = 16 and 32 features, luma x2."""
    features = {"compact:nano": 16, "compact:small": 32}[name]
    by_hand = 10 * features + 6 * (9 * features**2 + features) + 36 * features + 4
    assert sum(p.numel() for p in meta_network(name, 2).parameters()) == by_hand == count


@pytest.mark.parametrize("one", list(listed_networks()), ids=lambda one: one.name)
def test_the_list_claims_what_is_true(one):
    network = meta_network(one.name, 2)
    claimed = (one.preset.parameters, one.preset.reach, one.preset.channels)
    found = sum(p.numel() for p in network.parameters())
    assert claimed == (found, network.reach, network.channels)


@pytest.mark.parametrize("network", MODELS.names())
def test_the_list_is_read_as_python_reads_it(network):
    """Presets are taken from the source text, so that `acutance models` needs no torch."""
    assert written_presets(network) == MODELS.module(network).PRESETS


# By hand: hr reach of the layers, through the bicubic enlargement or the 9x9 deconvolution.
REACHES = [
    ("srcnn:915", 2, 5),  # 6 hr pixels = 3 lr, whose first phase looks 2 to the left
    ("srcnn:915", 3, 4),  # 6 hr = 2 lr, phase 0 again: 2 more
    ("srcnn:915", 4, 3),  # 6 hr = 1 lr and a half: the right half of a pixel looks 1 left
    ("vdsr", 2, 12),  # 20 hr = 10 lr, 2 more
    ("vdsr", 3, 8),  # 18 hr = 6 lr, 2 more; the 20th lies in the middle of a pixel, which needs 0
    ("vdsr", 4, 7),  # 20 hr = 5 lr, 2 more
    ("fsrcnn", 2, 8),
    ("fsrcnn", 4, 7),
    ("edsr:full", 4, 68),
    ("pan", 2, 36),  # 1 + 16 blocks of 2 + 1 = 34; 3 hr pixels to each side of 2 are 2 lr
    ("pan", 3, 35),  # 3 hr pixels are 1 lr
    ("srresnet", 2, 40),  # 4 + 16 blocks of 2 + 1 + 1 = 38; 4 hr pixels are 2 lr
    ("srresnet", 3, 40),  # 4 hr pixels are 2 lr, a part of one being one
    ("srresnet", 4, 40),  # 4 at x4 are 2 at x2, 1 more, together 2 lr
    ("esrgan:paper", 4, 349),  # 1 + 23 x 15 + 1 = 347; 3 at x4, then 1 at x2: 2 lr
    ("lapsrn", 2, 12),  # 1 + 10, then 1 hr pixel to each side of 2, through 3 taps: 1 lr
    ("progressive:tiny", 4, 14),  # 1 + 2 x 6 + 1
    ("progressive:octave", 4, 15),  # 9 pixels beside 2, half the size: 5 lr and 1 + 8 + 1
    ("span", 4, 21),  # 1 + 6 blocks of 3 + 1 + 1
]


@pytest.mark.parametrize(("name", "scale", "reach"), REACHES)
def test_reach_by_hand(name, scale, reach):
    assert meta_network(name, scale).reach == reach
