"""What a network is calibrated and scored with before it becomes one of 8 bits."""

from dataclasses import replace

import numpy as np

from acutance.data.degradations.crops import Degrading, draw_for
from acutance.data.degradations.expression import parse_degradation
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import downscale
from acutance.models.card import ModelCard
from acutance.upscaling.int8 import _pair

PLAIN = ModelCard("compact", 2, color="rgb")
MENDING = replace(PLAIN, scale=1, color="luma", degradation="noise(sigma=40) | unrounded")


def test_lr_is_that_of_the_training(photo_folder):
    file = photo_folder / "drawn1.png"
    hr = read_rgb(file)
    plain = 255 * _pair(file, PLAIN).lr[0].transpose(1, 2, 0)
    assert np.array_equal(plain.round(), downscale(hr[:256, :256], 2))
    pair = _pair(file, MENDING)
    chain = parse_degradation(MENDING.degradation)
    noisy = Degrading(chain, grey=True)(hr, scale=1, draw=draw_for("drawn1", seed=0))
    assert np.allclose(255 * pair.lr[0, 0], noisy[:, :, 0], atol=1e-3)
    assert (pair.lr.dtype, pair.hr.shape) == (np.float32, pair.lr.shape)
    assert 30 < 255 * np.std(pair.lr - pair.hr) < 50
