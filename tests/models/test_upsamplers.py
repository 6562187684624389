"""The fixed enlargements: the same pictures as the resampling of files."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from acutance.errors import InputError
from acutance.imaging.resample import resize
from acutance.models import build
from acutance.models.upsamplers import Bicubic, Nearest, enlargement, mirrored


@pytest.mark.parametrize("scale", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (9, 13)], ids=str)
@pytest.mark.parametrize("channels", [1, 3])
def test_bicubic_is_that_of_resize(scale, size, channels):
    image = np.random.default_rng(0).random((*size, channels))
    lr = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    sr = F.pixel_shuffle(Bicubic(scale=scale, channels=channels)(lr), scale)
    np.testing.assert_allclose(sr[0].permute(1, 2, 0), resize(image, scale=scale), atol=1e-6)


def test_bicubic_keeps_full_precision_under_autocast():
    lr = torch.rand(1, 3, 6, 6)
    bicubic = Bicubic(scale=2, channels=3)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(bicubic(lr), bicubic(lr).float())
        found = bicubic(lr)
    assert torch.equal(found, bicubic(lr))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scale", [1, 2, 3])
def test_nearest_repeats_pixels(scale, channels):
    lr = torch.rand(2, channels, 4, 5)
    sr = F.pixel_shuffle(Nearest(scale=scale, channels=channels)(lr), scale)
    assert torch.equal(sr, lr.repeat_interleave(scale, 2).repeat_interleave(scale, 3))


def test_mirror_repeats_the_edge():
    row = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 1, 1, 3)
    assert mirrored(row, 2)[0, 0, 0].tolist() == [2, 1, 1, 2, 3, 3, 2]


def test_mirror_goes_on_beyond_a_narrow_picture():
    row = torch.tensor([1.0]).reshape(1, 1, 1, 1)
    assert mirrored(row, 2).flatten().unique().tolist() == [1]


def test_unknown_enlargement_is_named():
    with pytest.raises(
        InputError, match=r"Unknown enlargement 'bicubik'. Did you mean 'bicubic'\?"
    ):
        enlargement("bicubik", scale=2, channels=1)


@pytest.mark.parametrize("skip", ["nearest", "bicubic"])
@pytest.mark.parametrize("preset", ["nano", "small", "video"])
def test_compact_begins_at_the_plain_enlargement(preset, skip):
    """Less than one of 255 steps away, so that training starts from a picture."""
    torch.manual_seed(0)
    network = build(f"compact:{preset}", scale=2, arguments={"skip": skip})
    lr = torch.rand(1, network.channels, 16, 16)
    plain = F.pixel_shuffle(network.enlarge(lr), 2)
    with torch.no_grad():
        assert_close(network(lr), plain, atol=1 / 255, rtol=0)
        assert not torch.equal(network(lr), plain)
