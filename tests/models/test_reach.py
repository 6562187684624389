"""The reach that is measured: what a NaN covers, proved by a cut; and the declared ones by it."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from acutance.models import build
from acutance.models.reach import measured_reach

PLAIN = [
    ("compact:video", 2, {}),
    ("compact:nano", 3, {}),
    ("espcn", 2, {}),
    ("fsrcnn", 2, {}),
    ("vdsr", 2, {"layers": 6}),
    ("edsr", 3, {"blocks": 3}),
    ("pan", 2, {"blocks": 4}),
    ("pan", 3, {"blocks": 4}),
    ("pan", 4, {"blocks": 4}),
    ("srresnet:tiny", 2, {}),
    ("srresnet:tiny", 3, {}),
    ("srresnet:tiny", 4, {"norm": "batch"}),
    ("srresnet:tiny", 8, {}),
    ("esrgan", 2, {"blocks": 2, "features": 16}),
    ("esrgan", 4, {"blocks": 2, "features": 16}),
    ("esrgan", 8, {"blocks": 1, "features": 16}),
    ("esrgan", 2, {"blocks": 1, "features": 16, "unshuffle": 2}),
    ("esrgan", 1, {"blocks": 1, "features": 16, "unshuffle": 4}),
    ("esrgan", 2, {"blocks": 1, "features": 16, "strided": 2}),
    ("compact:x1-tiny", 1, {}),
    ("compact:nano", 2, {"unshuffle": 3}),
    ("compact:nano", 1, {"strided": 2}),
    ("compact:nano", 2, {"strided": 3}),
]


@pytest.mark.parametrize(("name", "scale", "arguments"), PLAIN)
def test_the_declared_reach_is_what_is_measured(name, scale, arguments):
    network = build(name, scale=scale, arguments=arguments)
    assert measured_reach(network) == network.reach


@pytest.mark.slow
@pytest.mark.parametrize("scale", [2, 4])
def test_the_reach_of_345_layers(scale):
    """Where gradients vanish in float64, NaN does not."""
    network = build("esrgan:paper", scale=scale)
    assert measured_reach(network) == network.reach == 349


@pytest.mark.parametrize(("name", "scale"), [("srcnn", 3), ("vdsr", 3)])
def test_fixed_weights_of_zero_may_add_a_pixel_but_never_take_one(name, scale):
    network = build(name, scale=scale)
    assert network.reach <= measured_reach(network) <= network.reach + 1


@pytest.mark.parametrize("name", ["imdn", "rlfn"])
def test_who_pools_over_the_picture_has_no_reach(name):
    assert measured_reach(build(name, scale=2)) is None


class Probe(nn.Module):
    """A network of one trainable value around any function lr -> sr."""

    def __init__(self, function, *, scale=1, multiple=1):
        super().__init__()
        self.scale, self.channels, self.multiple = scale, 1, multiple
        self.weight = nn.Parameter(torch.ones(1))
        self.function = function

    def forward(self, lr):
        return self.weight * self.function(lr)


def shifted(lr):
    """Each pixel from the 5 to its left: a reach to one side only."""
    return F.pad(lr, (5, 0))[..., : lr.shape[3]]


def windowed(lr):
    """Windows of 4x4 that see themselves only, counted from the picture's corner."""
    lr = F.pad(lr, (0, -lr.shape[3] % 4, 0, -lr.shape[2] % 4))
    return F.interpolate(F.max_pool2d(lr, 4), scale_factor=4)


def normalised(lr):
    return lr - lr.mean(dim=(2, 3), keepdim=True)


MADE = [
    (Probe(lambda lr: lr), 0),
    (Probe(shifted), 5),
    (Probe(normalised), None),
    (Probe(lambda lr: windowed(lr)[..., : lr.shape[2], : lr.shape[3]]), None),
    (Probe(lambda lr: windowed(lr)[..., : lr.shape[2], : lr.shape[3]], multiple=4), 0),
    (Probe(lambda lr: F.interpolate(lr, scale_factor=2), scale=2), 0),
]


@pytest.mark.parametrize(("network", "reach"), MADE)
def test_what_is_known_beforehand(network, reach):
    assert measured_reach(network) == reach


def test_influence_too_weak_for_any_picture_still_counts():
    weak = nn.Conv2d(1, 1, kernel_size=7, padding=3)
    nn.init.constant_(weak.weight, 1e-30)
    assert measured_reach(Probe(weak)) == 3


def test_the_network_stays_as_it_was():
    network = build("compact:nano", scale=2).train()
    measured_reach(network)
    assert network.training
    assert all(p.dtype == torch.float32 and p.isfinite().all() for p in network.parameters())


def test_a_network_that_fails_has_no_reach():
    def fails(lr):
        raise RuntimeError("takes no such size")

    assert measured_reach(Probe(fails)) is None
