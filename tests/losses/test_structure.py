"""What the likeness indices among the structure losses are, beside their values.

Lengths of gradients are those of piq 0.8 in float64; numbers for the pictures in the other order
and for more contrast were computed by the plain formulas in tests/losses/reference/indices.py.
"""

import numpy as np
import pytest
import torch
from tests.losses.reference import indices as plain
from tests.losses.reference.ms_ssim import ms_ssim as plain_ms_ssim
from torch import Tensor

from acutance.errors import InputError
from acutance.losses.expression import parse_loss
from acutance.losses.proof.checks import slope
from acutance.losses.proof.pictures import generic_pair, pair
from acutance.losses.structure import sweep as sweeping
from acutance.losses.structure.local_moments import CONTRACT as LOCAL_MOMENTS
from acutance.losses.structure.maps import PREWITT, SCHARR, rounded_root, steepness, unlikeness
from acutance.losses.structure.nlpd import smallest_side
from acutance.losses.structure.smoothing import smoothed
from acutance.losses.structure.sweep import LANES
from acutance.losses.structure.windows import (
    are_lanes,
    as_lanes,
    gaussian_taps,
    has_lanes,
    local_mean,
    spread,
)

INDICES = ("fsim", "gmsd", "haarpsi", "mdsi", "ms_gmsd", "ncc", "nlpd", "vif")


def value(text: str, sr: Tensor, hr: Tensor) -> float:
    return parse_loss(text)(sr, hr)[0].item()


@pytest.mark.parametrize(
    ("name", "a", "b"),
    [
        ("gmsd", [0.020499843005720515], [0.03160376647828872, 0.0334573944874994]),
        ("vif", [0.08685072299786441], [0.25571722501500105, 0.2769184804959632]),
        ("fsim", [0.08868876741344103], [0.04642702408876756, 0.048363816219091145]),
        ("haarpsi", [0.03400173608092117], [0.045648721193641946, 0.04410508714799491]),
        ("mdsi", [0.051734441424108456], [0.13021548630391996, 0.132801179142845]),
    ],
)
def test_gradients_have_the_published_lengths(name, a, b):
    """VIF: piq adds 1e-8 to variances. float32: slopes that all but vanish have rounded lumas."""
    loss = parse_loss(name)
    for which, wanted in (("a", a), ("b", b)):
        exact = slope(loss, *pair(which))[1].flatten(1).norm(dim=1)
        np.testing.assert_allclose(exact.numpy(), wanted, rtol=1e-8 if name == "vif" else 1e-11)
        single = slope(loss, *pair(which, torch.float32))[1].flatten(1).norm(dim=1)
        np.testing.assert_allclose(single.numpy(), wanted, rtol=3e-5)


@pytest.mark.parametrize("name", INDICES)
def test_equal_pictures_are_at_0_to_the_bit(name):
    """Not at the rounding of 1 - 1, in float32 either; VIF takes logarithms, and pulls there."""
    for which in ("a", "b"):
        _, hr = pair(which, torch.float32)
        got, pull = slope(parse_loss(name), hr.clone(), hr)
        assert (got.abs() <= (1e-7 if name == "vif" else 0)).all()
        assert pull.abs().max() < (5e-3 if name == "vif" else 1e-9)


@pytest.mark.parametrize("name", INDICES)
def test_grey_pictures_of_one_channel_are_what_three_equal_ones_are(name):
    """I and Q of a grey picture are 0 but for the digits of their weights, 1e-4 of it.

    Two have no such twin: MDSI takes no grey, and HaarPSI leaves the colours' share out.
    """
    sr, hr = (v[:, :1] for v in pair("b"))
    if name == "mdsi":
        with pytest.raises(InputError, match=r"mdsi takes pictures of 3 channels \(grey, RGB\)"):
            parse_loss(name)(sr, hr)
        return
    one = parse_loss(name)(sr, hr)
    three = parse_loss(name)(sr.expand(-1, 3, -1, -1), hr.expand(-1, 3, -1, -1))
    if name == "haarpsi":
        assert (one > 1.1 * three).all()
    else:
        torch.testing.assert_close(one, three, rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", sorted(set(INDICES) - {"mdsi", "ncc"}))
def test_other_than_grey_and_rgb_is_refused(name):
    four = torch.rand(1, 4, 48, 48)
    with pytest.raises(InputError, match=f"{name} takes pictures of 1 or 3 channels"):
        parse_loss(name)(four, four)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gmsd(smooth=0.0)", "gmsd's smooth must be above 0, not 0.0."),
        ("ms_gmsd(smooth=-1.0)", "ms_gmsd's smooth must be above 0, not -1.0."),
        ("mdsi(smooth=0.0)", "mdsi's smooth must be above 0, not 0.0."),
        ("vif(noise=0.0)", "vif's noise must be above 0, not 0.0."),
        ("nlpd(levels=7)", "nlpd takes 2 to 6 levels and smooth above 0, not levels=7"),
        ("nlpd(levels=1)", "nlpd takes 2 to 6 levels and smooth above 0, not levels=1"),
        ("nlpd(smooth=0.0)", "nlpd takes 2 to 6 levels and smooth above 0, not levels=6, smooth=0"),
        ("ncc(eps=0.0)", "ncc's eps must be above 0, not 0.0."),
        ("local_moments(window=4)", "local_moments takes an odd window of 3 pixels or more"),
        ("local_moments(window=1)", "local_moments takes an odd window of 3 pixels or more"),
        ("local_moments(eps=0.0)", "and eps above 0, not window=7 and eps=0.0."),
    ],
)
def test_impossible_constants_are_refused(text, message):
    with pytest.raises(InputError) as caught:
        parse_loss(text)(*pair("b"))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["gmsd", "ms_gmsd", "ms_gmsd(chromatic=True)", "mdsi", "nlpd"],
)
def test_a_large_smooth_takes_off_what_is_small(text):
    """With every root in the rounded part the value is a parabola's, and less."""
    name, _, rest = text.partition("(")
    rounded = f"{name}(smooth=0.5{', ' + rest if rest else ')'}"
    sr, hr = pair("b")
    assert value(rounded, sr, hr) < 0.6 * value(text, sr, hr)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("gmsd(smooth=1e-5)", 1e-5),
        ("ms_gmsd(smooth=1e-5)", 1e-5),
        ("ms_gmsd(chromatic=True, smooth=1e-5)", 1e-5),
        ("mdsi(smooth=1e-3)", 1e-7),
        ("nlpd(smooth=1e-6)", 1e-7),
    ],
)
def test_roots_are_rounded_below_what_is_said(text, size):
    """All but equal pictures, all but flat: there the constant decides; ten times it shows."""
    sr, hr = pair("b")
    faint, other = 0.5 + size * (sr - 0.5), 0.5 + size * (hr - 0.5)
    named = text.replace(", smooth=1e-5", "").partition("(smooth")[0]
    assert value(named, faint, other) == pytest.approx(value(text, faint, other), rel=1e-9, abs=0)
    wider = text.replace("smooth=1e-", "smooth=11e-")
    assert value(wider, faint, other) != pytest.approx(value(text, faint, other), rel=0.01, abs=0)


def test_mdsi_of_negative_likenesses_has_complex_roots():
    """Where sr is all but flat and hr is not, the slopes of the mean take more than there is."""
    _, hr = generic_pair(2, 3, 20, 24)
    faint = 0.5 + 0.02 * (hr.flip(3) - 0.5)
    wanted = plain.mdsi(faint.numpy(), hr.numpy())
    np.testing.assert_allclose(parse_loss("mdsi")(faint, hr).numpy(), wanted, rtol=1e-9)


@pytest.mark.parametrize(("levels", "least"), [(2, 2), (3, 3), (4, 5), (5, 9), (6, 17)])
def test_nlpd_says_how_small_a_picture_may_be(levels, least):
    """The last but one size has two pixels: half of 17 five times, rounded up, is 9 5 3 2 1."""
    assert smallest_side(levels=levels) == least
    assert smallest_side() == 17
    loss = parse_loss(f"nlpd(levels={levels})")
    assert loss(*generic_pair(1, 1, least, 30)).isfinite().all()
    with pytest.raises(InputError, match=f"at least {least}x{least} pixels"):
        loss(*generic_pair(1, 1, least - 1, 30))


def test_mdsi_is_not_symmetric():
    """As the field has it: 0.25673452 and, hr for sr, 0.25246538 on pair a."""
    sr, hr = pair("a")
    assert value("mdsi", sr, hr) == pytest.approx(0.25673452, abs=1e-8)
    assert value("mdsi", hr, sr) == pytest.approx(0.25246538, abs=1e-8)


def test_vif_is_not_symmetric():
    """0.7594 and, hr for sr, 0.7829 on pair a."""
    sr, hr = pair("a")
    assert 1 - value("vif", sr, hr) == pytest.approx(0.7594, abs=5e-5)
    assert 1 - value("vif", hr, sr) == pytest.approx(0.7829, abs=5e-5)


@pytest.mark.parametrize(
    ("gain", "a", "b"), [(1.05, 1.01908, 1.01891), (1.1, 1.03728, 1.03695), (1.2, 1.07134, 1.07072)]
)
def test_vif_of_more_contrast_is_above_1(gain, a, b):
    """So 1 - VIF is negative and its least is not at hr; the mean that is kept does not matter."""
    for which, wanted in (("a", a), ("b", b)):
        _, hr = pair(which)
        for kept in (0.0, 0.5):
            stretched = kept + gain * (hr - kept)
            assert 1 - value("vif", stretched, hr) == pytest.approx(wanted, abs=5e-6)
        assert plain.vif(stretched.numpy(), hr.numpy())[0] == pytest.approx(1 - wanted, abs=5e-6)


def test_vif_of_a_stretch_is_what_its_noise_says():
    """By hand for x = g y: s = 0, so log(1 + g^2 vy / n) over log(1 + vy / n): noise 2 g^2 for x

    gives the two logarithms the same argument, and the ratio of the two VIFs is known.
    """
    _, hr = pair("b")
    y = torch.log1p(variances(hr) / 2.0).sum()
    stretched = torch.log1p(1.21 * variances(hr) / 2.0).sum()
    assert 1 - value("vif", 1.1 * hr[:1], hr[:1]) == pytest.approx((stretched / y).item(), abs=1e-9)


def variances(hr: Tensor) -> Tensor:
    """Of all windows of the first picture's luma at the four sizes, in squared levels."""
    luma = torch.from_numpy(plain.luma(255 * hr[:1].numpy()))[:, None]
    found = []
    for side in (17, 9, 5, 3):
        taps = gaussian_taps(side, side / 5)
        if side < 17:
            luma = smoothed(luma, taps)[..., ::2, ::2]
        mean = smoothed(luma, taps)
        found.append((smoothed(luma * luma, taps) - mean * mean).flatten())
    return torch.cat(found)


def test_vif_of_the_negative_is_0_with_no_way_down():
    _, hr = pair("a", torch.float32)
    got, pull = slope(parse_loss("vif"), 1 - hr, hr)
    assert got.item() == pytest.approx(1, abs=1e-6)
    assert pull.abs().max() < 1e-6


def test_vif_of_a_flat_target_has_nothing_to_lose():
    flat = torch.full((1, 3, 48, 48), 0.7)
    assert value("vif", torch.rand(1, 3, 48, 48), flat) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["gmsd", "ms_gmsd", "nlpd", "vif"])
def test_brightness_alone_counts(name):
    """The change of colour that keeps luma costs next to nothing, though it is 0.10 a value."""
    _, hr = pair("a")
    shift = hr.new_tensor([0.05 / 0.299, 0.05 / 0.587, -0.1 / 0.114])[:, None, None]
    tinted = hr + shift * (0.1 / shift.abs().mean())
    assert (tinted - hr).abs().mean().item() == pytest.approx(0.1)
    assert value(name, tinted, hr) < 1e-7


@pytest.mark.parametrize(
    "name", ["ms_gmsd(chromatic=True)", "mdsi", "haarpsi", "fsim", "vif(luma=False)"]
)
def test_colour_counts_where_it_is_asked_for(name):
    _, hr = pair("b")
    tint = 0.1 * torch.sin(torch.arange(96.0, dtype=hr.dtype) / 5)
    tinted = hr + tint * hr.new_tensor([1 / 0.299, 1 / 0.587, -2 / 0.114])[:, None, None] / 8
    assert value(name, tinted, hr) > 1e-3


def test_ncc_is_half_of_what_the_correlation_lacks():
    """numpy's corrcoef; eps of 1e-6 beside variances of 0.03 takes off five parts in 1e5."""
    sr, hr = pair("b")
    r = [np.corrcoef(sr[0, c].flatten(), hr[0, c].flatten())[0, 1] for c in range(3)]
    assert value("ncc", sr, hr) == pytest.approx((1 - np.mean(r)) / 2, rel=1e-4)
    assert value("ncc", 1 - hr, hr) == pytest.approx(1, abs=1e-4)
    assert value("ncc", 0.3 * hr - 2, hr) == pytest.approx(0, abs=1e-4)


def test_ncc_takes_each_channel_by_itself():
    _, hr = pair("b")
    turned = hr.clone()
    turned[:, 1] = 1 - hr[:, 1]
    assert value("ncc", turned, hr) == pytest.approx(1 / 3, abs=1e-4)


@pytest.mark.parametrize(("constants", "least"), [({}, 7), ({"window": 11}, 11)])
def test_local_moments_say_that_one_window_has_to_fit(constants, least):
    assert LOCAL_MOMENTS.smallest(constants) == least


def test_local_moments_of_an_offset_are_half_of_it():
    _, hr = pair("b")
    assert value("local_moments", hr + 0.1, hr) == pytest.approx(0.05, rel=1e-12)


@pytest.mark.parametrize(("window", "pixels"), [(3, 9), (7, 49)])
def test_local_moments_of_a_chequerboard_are_those_of_its_odd_pixel(window, pixels):
    """By hand: of `pixels` at d and -d one is left over, the mean is d / pixels."""
    place = torch.arange(16)
    board = 0.1 * (1 - 2 * ((place[:, None] + place) % 2)).double().expand(1, 1, 16, 16)
    mean = 0.1 / pixels
    grain = (0.1**2 - mean**2 + 0.02**2) ** 0.5 - 0.02
    got = value(f"local_moments(window={window}, eps=0.02)", board + 0.5, 0 * board + 0.5)
    assert got == pytest.approx((mean + grain) / 2, rel=1e-12)


def test_local_moments_of_faint_grain_on_grey_keep_their_digits():
    """A thousandth up and down: squares round 0 lose in float32 what those round grey keep."""
    place = torch.arange(16)
    board = 1e-3 * (1 - 2 * ((place[:, None] + place) % 2)).double().expand(1, 1, 16, 16) + 0.5
    board = board.float()
    flat = torch.full_like(board, 0.5)
    exact = value("local_moments", board.double(), flat.double())
    assert value("local_moments", board, flat) == pytest.approx(exact, rel=1e-5)


def test_local_moments_do_not_see_where_a_repeated_pattern_begins():
    _, hr = pair("b")
    pattern = hr[..., :7, :7].tile(1, 1, 4, 4)
    moved = pattern.roll((3, 2), dims=(2, 3))
    assert value("l1", moved, pattern) > 0.01
    assert value("local_moments", moved, pattern) == pytest.approx(0, abs=1e-12)


def test_rounded_roots_are_smooth_and_exact_above():
    smooth = 0.01
    v = torch.tensor([0.0, 1e-5, 5e-5, 1e-4, 1.0001e-4, 0.25], dtype=torch.float64)
    got, pull = slope(lambda a, _: rounded_root(a, smooth), v, v)
    torch.testing.assert_close(got[3:], v[3:].sqrt())
    torch.testing.assert_close(pull[3:], 0.5 / v[3:].sqrt(), rtol=2e-4, atol=0)
    torch.testing.assert_close(got[:3], smooth * v[:3] / 1e-4 * (1.5 - v[:3] / 2e-4))
    assert pull[0] == pytest.approx(1.5 / smooth)
    v = torch.tensor([0.0, 5e-9, 1e-8, 1.0001e-8, 0.5], dtype=torch.float64)
    got, pull = slope(lambda a, _: rounded_root(a, smooth, fourth=True), v, v)
    torch.testing.assert_close(got[2:], v[2:] ** 0.25)
    torch.testing.assert_close(pull[2:], 0.25 * v[2:] ** -0.75, rtol=2e-4, atol=0)
    assert got[1].item() == pytest.approx(smooth * 0.5 * (1.75 - 0.375))


@pytest.mark.parametrize("kernel", [PREWITT, SCHARR])
def test_steepness_of_a_ramp_is_twice_its_slope(kernel):
    """Differences of the two neighbours, over weights of sum 1; away from the black outside."""
    ramp = 0.03 * torch.arange(9.0).expand(1, 1, 8, 9)
    inside = steepness(ramp, kernel, 1e-5)[..., 1:-1, 1:-1]
    torch.testing.assert_close(inside, torch.full_like(inside, 0.06))
    turned = steepness(ramp.mT, kernel, 1e-5)[..., 1:-1, 1:-1]
    torch.testing.assert_close(turned, torch.full_like(turned, 0.06))


def test_unlikeness_is_what_likeness_lacks():
    a, b = generic_pair(1, 1, 4, 4)
    for masking in (0.0, 0.5):
        wanted = 1 - plain.likeness(a.numpy(), b.numpy(), 0.02, masking)
        np.testing.assert_allclose(unlikeness(a, b, 0.02, masking=masking).numpy(), wanted)


def test_smoothed_has_the_gradient_of_its_transpose():
    taps = gaussian_taps(5, 1.0)
    planes = torch.rand(1, 2, 7, 9, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: smoothed(v, taps), (planes,))
    assert torch.autograd.gradcheck(lambda v: smoothed(v.mT, taps), (planes,))


@pytest.mark.parametrize("count", [1, 3, 16, 19])
@pytest.mark.parametrize("way", [local_mean, spread])
def test_planes_as_lanes_have_the_windows_of_planes(way, count):
    planes = torch.rand(count, 17, 23, generator=torch.Generator().manual_seed(0))
    taps = gaussian_taps(11, 1.5)
    lanes = as_lanes(planes)
    assert are_lanes(lanes) == (count > 1)
    np.testing.assert_allclose(way(lanes, taps)[0], way(planes, taps), atol=3e-7)


@pytest.mark.parametrize("name", ["ssim", "ms_ssim(levels=2)"])
@pytest.mark.parametrize("form", [torch.contiguous_format, torch.channels_last])
def test_a_batch_of_many_planes_is_what_its_pictures_are(name, form):
    """From LANES planes on, float32 takes another way through them; float64 never does."""
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(LANES // 3 + 2, 3, 40, 33, generator=generator)
    sr = hr + 0.1 * torch.randn(hr.shape, generator=generator)
    exact, pull = slope(parse_loss(name), sr.double(), hr.double())
    got, found = slope(parse_loss(name), *(x.contiguous(memory_format=form) for x in (sr, hr)))
    np.testing.assert_allclose(got, exact, atol=1e-6)
    np.testing.assert_allclose(found, pull, atol=1e-5 * pull.abs().max())


@pytest.mark.parametrize("name", ["ssim", "ms_ssim(levels=2)"])
def test_bands_of_a_large_picture_are_what_the_picture_is(name, monkeypatch):
    """Few planes of many rows are cut into LANES bands, these into blocks; rows are left over."""
    monkeypatch.setattr(sweeping, "GROUP", 1 << 14)
    rows = (sweeping.OWN * LANES + 1) * 10
    generator = torch.Generator().manual_seed(0)
    hr = torch.rand(1, 2, rows + LANES - 1, 60, generator=generator)
    sr = hr + 0.1 * torch.randn(hr.shape, generator=generator)
    exact, pull = slope(parse_loss(name), sr.double(), hr.double())
    seen, bands = [], sweeping._sweep_bands
    monkeypatch.setattr(
        sweeping, "_sweep_bands", lambda x, *a, **k: seen.append(1) or bands(x, *a, **k)
    )
    got, found = slope(parse_loss(name), sr, hr)
    assert bool(seen) == has_lanes()
    np.testing.assert_allclose(got, exact, atol=1e-6)
    np.testing.assert_allclose(found, pull, atol=1e-5 * pull.abs().max())


def test_fsim_takes_the_noise_of_each_picture_by_itself():
    """The median is of one picture: a second, noisy one in the batch changes nothing."""
    sr, hr = (v[:1] for v in pair("b"))
    noise = torch.rand(1, 3, 64, 96, dtype=torch.float64)
    together = parse_loss("fsim")(torch.cat([sr, noise]), torch.cat([hr, noise.flip(2)]))
    assert together[0].item() == pytest.approx(value("fsim", sr, hr), rel=1e-12)


@pytest.mark.parametrize("name", ["fsim", "mdsi"])
def test_large_pictures_are_not_made_smaller_first(name):
    """The authors' code halves from 384 pixels on; four tiles of pair a then differ by far more."""
    sr, hr = pair("a")
    tiles = [v.tile(1, 1, 2, 2) for v in (sr, hr)]
    assert value(name, *tiles) == pytest.approx(value(name, sr, hr), rel=0.05)


def test_ms_ssim_of_the_negative_rests_on_its_floor():
    """Every level that is anticorrelated counts as the default floor, 1e-4."""
    hr = np.random.default_rng(0).random((1, 1, 176, 176))
    got = parse_loss("ms_ssim")(torch.from_numpy(1 - hr), torch.from_numpy(hr))
    np.testing.assert_allclose(got.numpy(), plain_ms_ssim(1 - hr, hr), rtol=1e-12)
    assert 1 - got.item() < 1e-3
