"""Losses of what a network sees: networks as published, identities, published distances."""

import hashlib
import math

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.losses.reference import feature_networks as plain
from torch.nn import functional as F

from acutance.errors import InputError
from acutance.imaging.files import read_picture
from acutance.losses.expression import parse_loss
from acutance.losses.features.architectures import NETS, least_side, up_to
from acutance.losses.features.gram_style import gram
from acutance.losses.features.lpips import LPIPS, directions
from acutance.losses.features.networks import FeatureNetwork, feature_network, random_tensors
from acutance.losses.features.products import product
from acutance.losses.objective import Objective
from acutance.losses.proof.pictures import generic_pair, pair

SMALL = "net='small', weights='random'"


def value(text, sr, hr):
    return parse_loss(text)(sr, hr)


def drawn(net):
    """Other numbers than the networks start with, biases among them."""
    generator = torch.Generator().manual_seed(4)
    return {
        name: torch.randn(shape, generator=generator) / math.prod(shape[1:] or (4,)) ** 0.5
        for layer in NETS[net]
        for name, shape in layer.shapes.items()
    }


@pytest.mark.parametrize(
    ("net", "parameters"),
    [
        ("vgg16", 14_714_688),
        ("vgg19", 20_024_384),
        ("alexnet", 61_100_840 - 58_631_144),
        ("squeezenet", 1_235_496 - 513_000),
    ],
)
def test_networks_have_their_published_number_of_parameters(net, parameters):
    """torchvision's tables, less the classifier behind the features."""
    shapes = [shape for layer in NETS[net] for shape in layer.shapes.values()]
    assert sum(math.prod(shape) for shape in shapes) == parameters


def test_layers_of_vgg19_stand_at_their_places_in_torchvision():
    places = {layer.name: layer.place for layer in NETS["vgg19"]}
    names = ("conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4", "relu5_4")
    assert [places[name] for name in names] == [2, 7, 16, 25, 34, 35]


@pytest.mark.parametrize(("net", "last"), [("vgg16", "relu5_3"), ("vgg19", "conv5_4")])
def test_vgg_is_what_its_table_says(net, last):
    """Against plain convolutions in the order of the paper's table 1, all maps to the last."""
    tensors = drawn(net)
    names = tuple(layer.name for layer in up_to(net, (last,)))
    network = FeatureNetwork(up_to(net, (last,)), names, tensors)
    picture, _ = generic_pair(1, 3, 17, 20)
    found = network(picture.float())
    x, n = (picture.float() - network.mean.float()) / network.spread.float(), 0
    for word in plain.VGG[net].split()[:-1]:
        if word == "M":
            x, n = F.max_pool2d(x, 2), n + 1
            continue
        x = F.conv2d(x, tensors[f"features.{n}.weight"], tensors[f"features.{n}.bias"], padding=1)
        before = next(layer.name for layer in NETS[net] if layer.place == n)
        torch.testing.assert_close(found[before], x)
        x, n = F.relu(x), n + 2
    assert last in found
    assert len(found) == len(names)


def test_alexnet_and_squeezenet_are_what_their_tables_say():
    picture, _ = generic_pair(1, 3, 37, 50)
    for net, taps in (
        ("alexnet", ("relu1", "relu2", "relu3", "relu4", "relu5")),
        ("squeezenet", ("relu1", "fire3", "fire5", "fire6", "fire7", "fire8", "fire9")),
    ):
        tensors = drawn(net)
        network = FeatureNetwork(up_to(net, taps), taps, tensors)
        arrays = {name: tensor.double().numpy() for name, tensor in tensors.items()}
        wanted = getattr(plain, net)(picture.numpy(), arrays)
        for name, plane in zip(taps, wanted, strict=True):
            np.testing.assert_allclose(network(picture)[name].numpy(), plane, rtol=1e-9)


def test_only_the_layers_that_are_asked_for_are_built():
    network = feature_network("vgg19", ("conv1_2", "relu2_1"), weights="random")
    assert [layer.name for layer in network.layers][-1] == "relu2_1"
    assert {name for name, _ in network.named_buffers()} == {
        *(f"features_{n}_{kind}" for n in (0, 2, 5) for kind in ("weight", "bias")),
        "mean",
        "spread",
    }


def test_nothing_of_a_network_is_trained_or_saved():
    objective = Objective(parse_loss(f"perceptual({SMALL})"))
    assert list(objective.parameters()) == []
    assert objective.state_dict() == {}
    assert all(not buffer.requires_grad for buffer in objective.buffers())


def test_a_map_before_the_relu_keeps_its_negative_values():
    network = feature_network("small", ("conv1", "relu1"), weights="random")
    maps = network(torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    assert (maps["conv1"] < 0).any()
    torch.testing.assert_close(maps["relu1"], maps["conv1"].clamp_min(0), rtol=0, atol=0)


def test_grey_pictures_are_seen_as_grey_rgb():
    sr, hr = generic_pair(2, 1, 20, 24)
    grey = value(f"perceptual({SMALL})", sr, hr)
    rgb = value(f"perceptual({SMALL})", sr.expand(-1, 3, -1, -1), hr.expand(-1, 3, -1, -1))
    torch.testing.assert_close(grey, rgb)
    with pytest.raises(InputError, match="of 1 or 3 channels"):
        value(f"perceptual({SMALL})", *generic_pair(1, 2, 20, 24))


@pytest.mark.parametrize(
    ("net", "side"), [("alexnet", 31), ("squeezenet", 17), ("vgg19", 16), ("small", 16)]
)
def test_smallest_sides(net, side):
    """31 for AlexNet: lpips 0.1.4 raises at 30."""
    assert least_side(net=net) == side
    last = [layer.name for layer in NETS[net] if layer.kind != "pool"][-1]
    layers = up_to(net, (last,))
    network = FeatureNetwork(layers, (last,), random_tensors(layers, 0))
    assert min(network(torch.rand(1, 3, side, side))[last].shape[2:]) == 1


def test_random_kernels_are_the_same_everywhere():
    """Rounded to four digits, for the last bit depends on the library of linear algebra."""
    first = random_tensors(NETS["small"][:1], 0)["features.0.weight"]
    digits = (first.double() * 1e4).round().to(torch.int32).numpy()
    assert hashlib.sha256(digits.tobytes()).hexdigest()[:16] == "04332928559edc3f"
    other = random_tensors(NETS["small"][:1], 1)["features.0.weight"]
    assert (first != other).any()


def test_random_kernels_are_orthogonal_with_the_variance_of_he():
    for net, name in (("small", "features.0.weight"), ("small", "features.6.weight")):
        kernel = random_tensors(NETS[net], 0)[name].flatten(1).double()
        out, fan_in = kernel.shape
        square = kernel @ kernel.T if out <= fan_in else kernel.T @ kernel
        wanted = torch.eye(min(out, fan_in), dtype=torch.float64) * 2 * max(out, fan_in) / fan_in
        torch.testing.assert_close(square, wanted, atol=1e-5, rtol=0)
        assert kernel.square().mean().item() == pytest.approx(2 / fan_in, rel=1e-5)


def test_the_seed_makes_another_loss_of_random_features():
    sr, hr = generic_pair(2, 3, 20, 24)
    first, second, again = (value(f"random_features(seed={seed})", sr, hr) for seed in (0, 1, 0))
    assert (first != second).all()
    assert torch.equal(first, again)


# The identities of the article's terms (content, style) with the usual ones


def test_content_is_alpha_c_h_w_times_the_squared_error():
    sr, hr = pair("b")
    torch.testing.assert_close(
        value("content(alpha=0.3, reduction='sum')", sr, hr),
        0.3 * 3 * 64 * 96 * value("mse", sr, hr),
    )
    torch.testing.assert_close(value("content", sr, hr), value("mse", sr, hr))


def test_style_of_the_pixels_is_beta_c_h_w_times_the_squared_error():
    sr, hr = pair("b")
    torch.testing.assert_close(
        value("style(beta=0.3, net='pixels', reduction='sum')", sr, hr),
        0.3 * 3 * 64 * 96 * value("mse", sr, hr),
    )


def test_style_of_one_layer_is_c_h_w_times_the_perceptual_loss():
    sr, hr = pair("b")
    one = f"{SMALL}, layers='conv2'"  # 64 maps of half the side
    torch.testing.assert_close(
        value(f"style({one}, reduction='sum')", sr, hr),
        64 * 32 * 48 * value(f"perceptual({one}, criterion='mse')", sr, hr),
    )


def test_perceptual_of_the_pixels_is_l1():
    sr, hr = pair("b")
    torch.testing.assert_close(value("perceptual(net='pixels')", sr, hr), value("l1", sr, hr))


def test_the_weights_of_layers_are_linear():
    sr, hr = pair("b")
    parts = [value(f"perceptual({SMALL}, layers='conv{k}')", sr, hr) for k in (1, 3)]
    both = value(f"perceptual({SMALL}, layers='0.1*conv1 + 3*conv3')", sr, hr)
    torch.testing.assert_close(both, 0.1 * parts[0] + 3 * parts[1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("perceptual(layers='conv9_9', weights='random')", "vgg19 has no layer 'conv9_9'"),
        (f"perceptual({SMALL}, layers='conv1 - conv2')", "cannot be read"),
        (f"perceptual({SMALL}, layers='conv1 + conv1')", "stands twice"),
        ("perceptual(net='small')", "has no trained weights. Write weights='random'"),
        ("random_features(depth=6)", "1 to 5 layers, not depth=6"),
        ("random_features(seed=-1)", "seed lies in 0"),
    ],
)
def test_impossible_options_are_refused(text, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        value(text, *pair("b"))


# Gram matrices


def test_gram_matrices_are_blind_to_places_where_style_is_not():
    _, hr = pair("b")
    order = torch.randperm(64 * 96, generator=torch.Generator().manual_seed(0))
    mixed = hr.flatten(2)[..., order].view_as(hr)
    assert (value("gram_style(net='pixels')", mixed, hr) < 1e-15).all()
    assert (value("style(net='pixels')", mixed, hr) > 0.01).all()


def test_normalisations_of_gram_matrices_differ_by_their_factors():
    """For C = 64 maps of 48 x 48: 6.8e-6, 4.3e-4 and, outside the square, 1.15e-11."""
    sr, hr = generic_pair(1, 3, 48, 48)
    plain_ = value("gram_style(net='pixels', normalise='none')", sr, hr)
    for name, places in (("chw", 3 * 48 * 48), ("hw", 48 * 48)):
        divided = value(f"gram_style(net='pixels', normalise='{name}')", sr, hr)
        torch.testing.assert_close(divided * places, plain_)
    squared = value("gram_style(net='pixels', normalise='none', criterion='mse')", sr, hr)
    gatys = value("gram_style(net='pixels', normalise='gatys')", sr, hr)
    torch.testing.assert_close(gatys, squared * 9 / (4 * 9 * (48 * 48) ** 2))


def test_a_gram_matrix_is_sums_over_places():
    maps, _ = generic_pair(2, 3, 5, 7)
    wanted = torch.einsum("nihw,njhw->nij", maps, maps) / 10
    torch.testing.assert_close(gram(maps, 10), wanted)


def test_products_have_the_gradient_of_a_matrix_product():
    generator = torch.Generator().manual_seed(0)
    a, b = (
        torch.randn(2, *shape, generator=generator, dtype=torch.float64, requires_grad=True)
        for shape in ((3, 4), (4, 2))
    )
    assert torch.autograd.gradcheck(product, (a, b))
    assert torch.autograd.gradgradcheck(product, (a, b))


# LPIPS


def test_lpips_heads_below_zero_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    widths = (64, 192, 384, 256, 256)
    heads = {f"lin{k}.weight": torch.ones(1, w, 1, 1) for k, w in enumerate(widths)}
    heads["lin3.weight"][0, 5] = -0.1
    save_file(heads, tmp_path / "lpips_alex.safetensors")
    with pytest.raises(InputError, match="numbers below 0"):
        LPIPS()


def test_a_place_without_any_feature_has_a_finite_slope():
    maps = torch.zeros(1, 4, 2, 2, requires_grad=True)
    (gradient,) = torch.autograd.grad(directions(maps).sum(), maps)
    assert gradient.isfinite().all()
    assert gradient.max() <= 1e5 * 1.001


@pytest.fixture
def trained(acutance_data, monkeypatch, tmp_path):
    """The published weights beside the published pictures, and no others."""
    if not (acutance_data / "weights" / "alexnet_features.safetensors").is_file():
        pytest.skip(f"no weights of feature networks in {acutance_data}/weights")
    monkeypatch.setenv("ACUTANCE_DATA", str(acutance_data))
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    return acutance_data


@pytest.mark.parametrize(
    ("net", "a", "b", "tolerance"),
    [
        ("alex", 0.0147678339, (0.0043785351, 0.00537534323), 1e-7),
        ("squeeze", 0.0391419337, (0.0489188445, 0.0422816534), 5e-4),
    ],
)
def test_lpips_has_the_values_of_its_authors_code(trained, net, a, b, tolerance):
    """lpips 0.1.4, heads 0.1, float64; two float forms of SqueezeNet differ by 2.4e-4."""
    for name, wanted in (("a", [a]), ("b", b)):
        got = value(f"lpips(net='{net}')", *pair(name))
        np.testing.assert_allclose(got.numpy(), wanted, rtol=tolerance)


@pytest.mark.parametrize(
    ("net", "wanted"), [("alex", (0.721881, 0.137566)), ("squeeze", (0.711048, 0.147902))]
)
def test_lpips_of_the_authors_example_is_as_published(trained, net, wanted):
    """alex: 0.722 and 0.138 in the README of richzhang/PerceptualSimilarity."""
    folder = trained / "lpips_example"
    reference, *others = (
        torch.from_numpy(read_picture(folder / f"{name}.png").pixels / 255.0)
        .permute(2, 0, 1)[None]
        .float()
        for name in ("ex_ref", "ex_p0", "ex_p1")
    )
    got = [value(f"lpips(net='{net}')", other, reference).item() for other in others]
    assert got == pytest.approx(wanted, abs=2e-6)


def test_the_first_blocks_of_vgg16_are_enough_for_their_layers(trained):
    text = "perceptual(net='vgg16', layers='relu1_2 + relu2_2')"
    sr, hr = pair("b", torch.float32)
    assert (value(text, sr, hr) > 0.01).all()
    with pytest.raises(InputError, match="acutance weights get vgg16"):
        value("perceptual(net='vgg16', layers='relu3_1')", sr, hr)
    with pytest.raises(InputError, match="acutance weights get vgg16"):
        value("lpips(net='vgg')", sr, hr)


def test_missing_weights_say_which_command_brings_them(tmp_path, monkeypatch):
    monkeypatch.setenv("ACUTANCE_WEIGHTS", str(tmp_path))
    monkeypatch.delenv("ACUTANCE_DATA", raising=False)
    for text, name in (("lpips", "lpips_alex"), ("perceptual", "vgg19")):
        with pytest.raises(InputError, match=f"acutance weights get {name}"):
            Objective(parse_loss(text))
