"""The games by their formulas, the fines by critics that are known, and two sides kept apart."""

import numpy as np
import pytest
import torch
from tests.losses.reference import gan as plain
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.losses.adversarial.discriminators import DISCRIMINATORS
from acutance.losses.adversarial.forms import AVERAGE_OVER_THE_BATCH, FORMS
from acutance.losses.adversarial.gan import Gan
from acutance.losses.adversarial.layer import Layer, Sides
from acutance.losses.adversarial.penalties import gradient_penalty, squared_slope
from acutance.losses.adversarial.published import doubled
from acutance.losses.expression import parse_loss
from acutance.losses.objective import Objective
from acutance.losses.proof.pictures import generic_pair, noise_pair

LOGITS = torch.tensor([-4.0, 0.0, 4.0], dtype=torch.float64)
EVERY_FORM = {**FORMS, "relativistic_average over the batch": AVERAGE_OVER_THE_BATCH}


def maps(*logits):
    """One picture for each logit, its map a single place."""
    return torch.tensor(logits, dtype=torch.float64).view(-1, 1, 1, 1)


def two_maps():
    generator = torch.Generator().manual_seed(4)
    return 3 * torch.randn(2, 5, 1, 3, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", EVERY_FORM)
def test_both_sides_pay_what_the_paper_says(kind):
    z_f, z_r = two_maps()
    pays = EVERY_FORM[kind].generator(z_f, z_r).numpy()
    wanted = plain.GENERATORS[kind](z_f.numpy(), z_r.numpy()).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(pays, wanted, rtol=1e-12)
    pays = EVERY_FORM[kind].discriminator(z_f, z_r, 1.0).numpy()
    wanted = plain.DISCRIMINATORS[kind](z_f.numpy(), z_r.numpy()).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(pays, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("saturating", [-0.017986, -0.5, -0.982014]),  # sigmoid(4) = 0.982014
        ("vanilla", [-0.982014, -0.5, -0.017986]),
        ("hinge", [-1.0, -1.0, -1.0]),
        ("wasserstein", [-1.0, -1.0, -1.0]),
        ("least_squares", [-10.0, -2.0, 6.0]),
        ("relativistic_pairing", [-0.982014, -0.5, -0.017986]),  # against z_r = 0
        ("relativistic_average", [-0.982014, -0.5, -0.017986]),
    ],
)
def test_the_early_signal_of_each_game(kind, wanted):
    """Slope of the generator's side at logits -4, 0 and 4."""
    z = LOGITS.view(-1, 1, 1, 1).requires_grad_()
    (slope,) = torch.autograd.grad(FORMS[kind].generator(z, torch.zeros_like(z)).sum(), z)
    np.testing.assert_allclose(slope.flatten().numpy(), wanted, atol=1e-6)


@pytest.mark.parametrize("kind", EVERY_FORM)
def test_sure_logits_cost_finite_amounts(kind):
    """log(sigmoid(-104)) is -inf in float32, and the cost is 104."""
    z_f = torch.tensor([-104.0, 104.0, 1e4]).view(3, 1, 1, 1).requires_grad_()
    form = EVERY_FORM[kind]
    value = form.generator(z_f, -z_f.detach()) + form.discriminator(z_f, -z_f.detach(), 0.9)
    (slope,) = torch.autograd.grad(value.sum(), z_f)
    assert value.isfinite().all()
    assert slope.isfinite().all()
    assert FORMS["vanilla"].generator(z_f, z_f)[0].item() == 104


def test_an_average_over_the_batch_couples_its_pictures():
    """-0.440 becomes -0.266 when the neighbour's logit goes from -1 to 6; both originals have 1."""

    def slope(form, neighbour):
        z_f, z_r = maps(-1.0, neighbour).requires_grad_(), maps(1.0, 1.0)
        (found,) = torch.autograd.grad(form.generator(z_f, z_r).mean(), z_f)
        return found[0].item()

    coupled = [slope(AVERAGE_OVER_THE_BATCH, z) for z in (-1.0, 6.0)]
    assert coupled == pytest.approx([-0.4403985, -0.2658057], abs=1e-6)
    assert slope(FORMS["relativistic_average"], -1.0) == slope(FORMS["relativistic_average"], 6.0)


def test_averaged_and_paired_are_one_for_a_single_logit():
    """2.1269 both, at z_f = -1 and z_r = 1: log(1 + e^2)."""
    z_f, z_r = maps(-1.0), maps(1.0)
    for kind in ("relativistic_pairing", "relativistic_average"):
        assert FORMS[kind].generator(z_f, z_r).item() == pytest.approx(2.126928, abs=1e-6)


@pytest.mark.parametrize("kind", [kind for kind, form in EVERY_FORM.items() if form.has_label])
def test_a_soft_label_is_of_originals_alone(kind):
    """Against 0.9 being sure costs, 4 more than 2; the results' label stays 0."""
    form = EVERY_FORM[kind]
    z_f = maps(-6.0).expand(1, 1, 2, 2)
    slopes = []
    for z in (0.0, 40.0):
        z_r = maps(z).expand(1, 1, 2, 2).clone().requires_grad_()
        slopes.append(torch.autograd.grad(form.discriminator(z_f, z_r, 0.9).sum(), z_r)[0].sum())
    assert slopes[1] > 0
    if kind in ("vanilla", "least_squares"):
        z_f = maps(-1.0, 2.0)
        hard, soft = (form.discriminator(z_f, maps(0.0, 0.0), label) for label in (1.0, 0.9))
        assert_close((soft - hard)[0], (soft - hard)[1])


def test_a_soft_label_is_cross_entropy():
    """By hand: 0.9 log 1/D(1) + 0.1 log 1/(1 - D(1)), and (1 - 0.9)^2."""
    d = 1 / (1 + np.exp(-1))
    value = FORMS["vanilla"].discriminator(maps(-50.0), maps(1.0), 0.9).item()
    assert value == pytest.approx(-0.9 * np.log(d) - 0.1 * np.log(1 - d))
    value = FORMS["least_squares"].discriminator(maps(0.0), maps(1.0), 0.9).item()
    assert value == pytest.approx(0.01)


def linear(steepness):
    """A critic whose gradient has this length at every picture of 3 x 64 x 64."""
    generator = torch.Generator().manual_seed(2)
    along = torch.randn(3, 64, 64, generator=generator, dtype=torch.float64)
    along *= steepness / along.norm()
    return lambda x: (x * along).sum(dim=(1, 2, 3))


@pytest.mark.parametrize(("steepness", "fine"), [(1, 0.0), (64, 3969.0), (0.5, 0.25)])
def test_a_linear_critic_is_fined_for_its_slope(steepness, fine):
    """Per-pixel norms would fine the first 0.97 and the second 0 (Gulrajani 2017, eq. 3)."""
    sr, hr = noise_pair(3, 3, 64, 64, dtype=torch.float64)
    mixing = torch.rand(3, 1, 1, 1, dtype=torch.float64)
    found = gradient_penalty(linear(steepness), sr, hr, mixing)
    assert_close(found, torch.full_like(found, fine), atol=1e-9, rtol=1e-12)
    assert_close(
        squared_slope(linear(steepness), hr),
        torch.full_like(found, steepness**2),
        rtol=1e-12,
        atol=0,
    )


def test_a_flat_critic_is_fined_and_stays_finite():
    weight = torch.zeros((), requires_grad=True)
    sr, hr = noise_pair(2, 3, 8, 8)
    found = gradient_penalty(lambda x: (weight * x).sum(dim=(1, 2, 3)), sr, hr, sr[:, :1, :1, :1])
    assert found.tolist() == [1, 1]
    found.sum().backward()
    assert weight.grad == 0


def test_the_place_of_the_fine_is_between_the_two_pictures():
    """A critic of slope 2 |x|: at the mixing's share of hr, the rest of sr."""
    sr, hr = noise_pair(2, 3, 8, 8, dtype=torch.float64)
    mixing = torch.tensor([0.25, 1.0], dtype=torch.float64)[:, None, None, None]
    between = mixing * hr + (1 - mixing) * sr
    wanted = (2 * between.flatten(1).norm(dim=1) - 1) ** 2
    found = gradient_penalty(lambda x: x.square().sum(dim=(1, 2, 3)), sr, hr, mixing)
    assert_close(found, wanted)


SMALL = {"width": 4}


@pytest.mark.parametrize(
    ("penalty", "places", "factor"),
    [("r1", ("hr",), 5.0), ("r2", ("sr",), 5.0), ("r1r2", ("sr", "hr"), 5.0)],
)
def test_fines_are_due_at_every_sixteenth_turn_sixteen_times_over(penalty, places, factor):
    gan = Gan(penalty=penalty, **SMALL).double()
    pictures = dict(zip(("sr", "hr"), generic_pair(2, 3, 24, 32), strict=True))
    sr, hr = pictures["sr"], pictures["hr"]
    plainly = gan.discriminate(sr, hr, turn=1)
    fine = torch.zeros(2, dtype=torch.float64)
    for place in places:
        leaf = pictures[place].clone().requires_grad_()
        logits, _ = gan.discriminator(2 * leaf - 1, learning=True)
        (slope,) = torch.autograd.grad(logits.mean(dim=(1, 2, 3)).sum(), leaf)
        fine += factor * slope.square().sum(dim=(1, 2, 3))
    for turn in (0, 16, 32):
        assert_close(gan.discriminate(sr, hr, turn=turn) - plainly, 16 * fine)
    assert torch.equal(gan.discriminate(sr, hr, turn=17), plainly)
    often = Gan(penalty=penalty, penalty_every=1, gamma=30.0, **SMALL).double()
    assert_close(often.discriminate(sr, hr, turn=7) - plainly, 3 * fine)


def test_the_gradient_fine_is_of_the_mean_over_the_map_at_a_random_mixture():
    gan = Gan(kind="wasserstein", penalty="gradient", penalty_every=1, gamma=2.0, **SMALL).double()
    sr, hr = generic_pair(3, 3, 24, 32)
    plainly = Gan(kind="wasserstein", penalty="r1", **SMALL).double().discriminate(sr, hr, turn=1)
    generator = torch.Generator().manual_seed(5)
    mixing = torch.rand(3, generator=generator)[:, None, None, None].double()
    leaf = (mixing * hr + (1 - mixing) * sr).requires_grad_()
    logits, _ = gan.discriminator(2 * leaf - 1, learning=True)
    (slope,) = torch.autograd.grad(logits.mean(dim=(1, 2, 3)).sum(), leaf)
    fine = 2 * (slope.flatten(1).norm(dim=1) - 1) ** 2
    assert_close(gan.discriminate(sr, hr, turn=5) - plainly, fine)
    assert (gan.discriminate(sr, hr, turn=6) != gan.discriminate(sr, hr, turn=5)).all()
    parts = [gan.discriminate(sr[a:b], hr[a:b], turn=5, first=a) for a, b in ((0, 1), (1, 3))]
    assert_close(torch.cat(parts), gan.discriminate(sr, hr, turn=5))


def test_the_discriminator_pays_its_side_of_the_game():
    gan = Gan(kind="hinge", discriminator="unet", **SMALL).double()
    sr, hr = generic_pair(2, 3, 16, 20)
    weights = {k: v.numpy() for k, v in gan.discriminator.state_dict().items()}
    z_f, z_r = (plain.unet(weights, 2 * x.numpy() - 1)[0] for x in (sr, hr))
    wanted = plain.DISCRIMINATORS["hinge"](z_f, z_r).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(gan.discriminate(sr, hr).detach().numpy(), wanted, rtol=1e-12)
    soft = Gan(label=0.9, **SMALL)
    assert (soft.discriminate(sr, hr) != Gan(**SMALL).discriminate(sr, hr)).all()
    assert torch.equal(soft(sr, hr), Gan(**SMALL)(sr, hr))  # the generator knows no labels


@pytest.mark.parametrize(
    ("kind", "discriminator"),
    [*((kind, "patch") for kind in FORMS), *(("hinge", name) for name in DISCRIMINATORS)],
)
def test_each_side_leaves_the_other_alone(kind, discriminator):
    gan = Gan(kind=kind, discriminator=discriminator, feature_matching=1.0, **SMALL)
    side = DISCRIMINATORS[discriminator].least_side
    sr, hr = noise_pair(2, 3, side, side)
    sr.requires_grad_()
    gan(sr, hr).sum().backward()
    assert sr.grad.abs().sum() > 0
    assert all(p.grad is None for p in gan.parameters())
    sr.grad = None
    gan.discriminate(sr, hr).sum().backward()
    assert sr.grad is None
    assert all(p.grad is not None and p.grad.isfinite().all() for p in gan.parameters())


@pytest.mark.parametrize("penalty", ["r1", "r2", "r1r2", "gradient"])
def test_a_fine_reaches_every_layer_and_no_picture(penalty):
    gan = Gan(penalty=penalty, discriminator="unet", **SMALL)
    sr, hr = noise_pair(2, 3, 24, 32)
    sr.requires_grad_()
    fine = gan.discriminate(sr, hr, turn=0) - gan.discriminate(sr, hr, turn=1)
    fine.sum().backward()
    assert sr.grad is None
    kernels = [p.grad for name, p in gan.named_parameters() if name.endswith("weight")]
    assert all(g is not None and g.abs().sum() > 0 for g in kernels)


def test_the_discriminator_starts_from_its_seed_alone():
    torch.manual_seed(1)
    first = Gan(**SMALL).state_dict()
    before = torch.random.get_rng_state()
    again = Gan(**SMALL).state_dict()
    assert torch.equal(before, torch.random.get_rng_state())
    other = Gan(seed=1, **SMALL).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[n], other[n]) for n in first if n.endswith("0.weight"))


def test_kernels_start_as_he_et_al_say():
    """Variance 2 / ((1 + 0.2^2) fan in), so that what passes keeps its size."""
    kernel = Gan(penalty="r1", width=64).discriminator.down[1].weight
    assert kernel.std().item() == pytest.approx((2 / (1.04 * 64 * 16)) ** 0.5, rel=0.02)


def test_spectral_normalisation_divides_by_the_largest_singular_value():
    """Of the kernel as a matrix, by LAPACK; looking does not change it."""
    layer = Layer(Sides(6, 8, 4, stride=2), torch.Generator().manual_seed(0), spectral=True)
    unbounded = Layer(Sides(6, 8, 4, stride=2), torch.Generator().manual_seed(0), spectral=False)
    with torch.no_grad():
        layer.weight.mul_(3)
        for _ in range(300):
            layer.settle()
    largest = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).detach()
    x = torch.randn(2, 6, 9, 9)
    before = layer(x, learning=True)
    assert_close(before, unbounded(x, learning=True) * 3 / largest, rtol=1e-4, atol=1e-5)
    assert torch.equal(before, layer(x, learning=True))
    fresh = Layer(Sides(6, 8, 4, stride=2), torch.Generator().manual_seed(0), spectral=True)
    exact = torch.linalg.matrix_norm(fresh.weight.flatten(1), 2)
    near = (fresh.u @ fresh.weight.flatten(1)).norm()
    assert 0.97 * exact < near <= 1.0001 * exact


def test_a_fine_takes_the_place_of_spectral_normalisation():
    assert any(name.endswith("u") for name in Gan(**SMALL).state_dict())
    assert not any(name.endswith("u") for name in Gan(penalty="r1", **SMALL).state_dict())


def test_grey_pictures_are_judged_as_equal_rgb():
    gan = Gan(**SMALL)
    sr, hr = noise_pair(2, 1, 24, 32)
    assert_close(gan(sr, hr), gan(sr.expand(-1, 3, -1, -1), hr.expand(-1, 3, -1, -1)))


def test_judgements_do_not_see_neighbours_or_autocast():
    gan = Gan(penalty="r1", **SMALL)
    sr, hr = noise_pair(3, 3, 24, 32)
    whole = gan.discriminate(sr, hr)
    assert_close(whole[1:2], gan.discriminate(sr[1:2], hr[1:2]))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert_close(gan.discriminate(sr, hr), whole)
        assert gan(sr, hr).dtype == torch.float32


def test_an_objective_keeps_the_discriminator():
    objective = Objective(parse_loss("l1 + 0.01*gan(width=4)"))
    kept = [name for name in objective.state_dict() if name.endswith("down.0.weight")]
    assert len(kept) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "vanila"}, "gan's kind is one of vanilla, saturating"),
        ({"mean": "batch"}, "gan's mean is 'map' or, with kind='relativistic_average', 'batch'"),
        ({"label": 0.4}, "gan's label is above 0.5 and at most 1, not 0.4"),
        ({"kind": "hinge", "label": 0.9}, "hinge and wasserstein know no labels"),
        ({"discriminator": "vgg:small"}, "gan's discriminator is one of patch, patch:paper, unet"),
        ({"penalty": "r3"}, "its penalty one of none, r1, r2, r1r2, gradient"),
        ({"width": -1}, "gan takes feature_matching and width from 0, penalty_every from 1"),
        ({"gamma": 0.0}, "gamma=0.0"),
        ({"penalty_every": 0}, "penalty_every=0"),
        ({"rate": -1.0}, "rate=-1.0"),
        ({"feature_matching": -1.0}, "feature_matching=-1.0"),
        ({"ahead": -1}, "gan's ahead is a number of steps"),
        ({"ahead": 1.5}, "not ahead=1.5, learns_every=0"),
        ({"learns_every": -1}, "learns_every 0 or more, not ahead=0.0, learns_every=-1"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Gan(**options)


def test_pictures_of_another_number_of_channels_are_refused():
    with pytest.raises(InputError, match="1 or 3 channels, not 4"):
        Gan(**SMALL)(*noise_pair(1, 4, 16, 16))


@pytest.mark.parametrize(
    ("discriminator", "count"),
    [
        # printed by the authors' program for CycleGAN, whose normalisation has no parameters
        ("patch:paper", 2_764_737),
        # published with Real-ESRGAN's program
        ("unet:paper", 4_376_897),
        # by hand from SRGAN's fig. 4: convolutions 4,685,376, dense 6 * 6 * 512 * 1024 + 1024,
        # and 1025; its normalisation would add 2 * (64 + 2 * 128 + 2 * 256 + 2 * 512) = 3712
        ("vgg:paper", 4_685_376 + 18_875_392 + 1_025),
    ],
)
def test_published_discriminators_have_their_number_of_parameters(discriminator, count):
    gan = Gan(discriminator=discriminator, penalty="r1")
    assert sum(p.numel() for p in gan.parameters()) == count


def judged(discriminator, side, width=4):
    """One picture's leaf and its map of logits."""
    gan = Gan(discriminator=discriminator, width=width, penalty="r1")
    leaf = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(1))
    leaf.requires_grad_()
    return leaf, gan.discriminator(leaf, learning=False)[0]


@pytest.mark.parametrize(
    ("discriminator", "field"), [("patch", 38), ("patch:paper", 70)], ids=["tiny", "paper"]
)
def test_a_place_is_judged_by_its_receptive_field(discriminator, field):
    """Isola et al.: the 70x70 PatchGAN."""
    leaf, logits = judged(discriminator, 128)
    place = logits.shape[2] // 2
    (slope,) = torch.autograd.grad(logits[0, 0, place, place], leaf)
    for axis in (2, 3):
        seen = slope.abs().sum(dim=tuple({0, 1, 2, 3} - {axis})).nonzero().flatten()
        assert seen.max() - seen.min() + 1 == field


@pytest.mark.parametrize("side", [32, 45, 47])
def test_a_unet_judges_every_pixel(side):
    leaf, logits = judged("unet:paper", side)
    assert logits.shape == (1, 1, side, side)
    (slope,) = torch.autograd.grad(logits.sum(), leaf)
    assert (slope.abs().sum(dim=1) > 0).all()


def test_the_way_up_is_bilinear():
    """torch's own, by its other method; odd sizes repeat the edge."""
    x = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    wanted = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
    assert_close(doubled(x, (10, 14)), wanted)
    odd = doubled(x, (11, 15))
    assert torch.equal(odd[..., :10, :14], doubled(x, (10, 14)))
    assert torch.equal(odd[..., 10, :], odd[..., 9, :])
    assert torch.equal(odd[..., 14], odd[..., 13])


def test_spectral_normalisation_leaves_out_the_ends_of_the_published_unet():
    names = {name for name in Gan(discriminator="unet:paper", **SMALL).state_dict() if "u" in name}
    bounded = {name for name in names if name.endswith(".u")}
    assert len(bounded) == 8
    assert not any("first" in name or "judge" in name for name in bounded)


@pytest.mark.parametrize(("discriminator", "side"), [("vgg", 16), ("vgg", 45), ("vgg:paper", 96)])
def test_a_vgg_judges_the_picture_as_a_whole(discriminator, side):
    leaf, logits = judged(discriminator, side)
    assert logits.shape == (1, 1, 1, 1)
    (slope,) = torch.autograd.grad(logits.sum(), leaf)
    corners = slope[0].abs().sum(dim=0)[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners > 0).all()


@pytest.mark.parametrize("discriminator", DISCRIMINATORS)
def test_a_patch_that_is_too_small_is_refused_before_the_first_step(discriminator):
    least = DISCRIMINATORS[discriminator].least_side
    objective = Objective(parse_loss(f"gan(discriminator='{discriminator}', width=4)"))
    objective.check(least, 3)
    with pytest.raises(InputError, match=f"of at least {least} pixels a side, and the training"):
        objective.check(least - 1, 3)


def test_a_dense_layer_knows_one_size():
    objective = Objective(parse_loss("gan(discriminator='vgg:paper', width=4)"))
    with pytest.raises(InputError, match="judges pictures of 96x96 pixels, and these are 100x100"):
        objective.check(100, 3)


def test_the_last_judgement_is_kept_for_the_log():
    gan = Gan(**SMALL)
    assert gan.judged is None
    sr, hr = noise_pair(2, 3, 24, 32)
    gan.discriminate(sr, hr)
    means = [gan.discriminator(2 * x - 1, learning=False)[0].mean() for x in (sr, hr)]
    assert_close(gan.judged, torch.stack(means).detach())
