"""What a network is calibrated and scored with before it becomes one of 8 bits."""

from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from PIL import Image

from acutance.data.degradations.crops import Degrading, draw_for
from acutance.data.degradations.expression import parse_degradation
from acutance.imaging.files import read_rgb
from acutance.imaging.resample import downscale
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model
from acutance.upscaling.int8 import _pair, _psnr, export_int8
from acutance.upscaling.onnx_runtime import OnnxEngine

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


@pytest.mark.slow
def test_a_picture_of_more_contrast_than_the_others_is_not_cut_off(tmp_path):
    """Its values lie far outside the mean range of what calibrates; they must still be told."""
    if find_spec("nncf") is None:
        pytest.skip("nncf is not installed (extra int8)")
    draw = np.random.default_rng(0)
    for name in "abcdef":  # every second one calibrates: a, c, e
        contrast = 255 if name == "c" else 8
        blocks = np.kron(draw.random((16, 16, 1)), np.ones((8, 8, 3)))
        Image.fromarray((contrast * blocks).astype(np.uint8)).save(tmp_path / f"{name}.png")
    network, path = load_model("nano-x2"), tmp_path / "nano.onnx"
    export_int8(network, network.card, path, [tmp_path])
    strong = _pair(tmp_path / "c.png", network.card)
    expected = network(torch.from_numpy(strong.lr)).detach().numpy()
    assert _psnr(OnnxEngine(path)(strong.lr), expected, 2) > 40
