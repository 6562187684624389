"""Every network of community files leaves an ONNX file that computes the same at any size."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from acutance.models import build
from acutance.models.building import describe
from acutance.upscaling.export import export_onnx
from acutance.upscaling.onnx_runtime import load

MADE = [
    ("imdn", 2, {"features": 16}),
    ("rlfn", 2, {"features": 16}),
    ("pan", 3, {"blocks": 2}),
    ("pan", 4, {"blocks": 2}),
    ("srresnet:tiny", 4, {"norm": "batch"}),
    ("srresnet:tiny", 3, {}),
    ("esrgan", 4, {"blocks": 1, "features": 16}),
    ("esrgan", 2, {"blocks": 1, "features": 16, "unshuffle": 2}),
    ("esrgan", 1, {"blocks": 1, "features": 16, "strided": 2}),
    ("compact:tiny", 1, {"unshuffle": 2}),
    ("compact:tiny", 2, {"unshuffle": 3, "skip": "bicubic"}),
    ("compact:tiny", 2, {"strided": 3}),
    ("span", 3, {"features": 8}),
    ("span", 2, {"features": 8, "norm": True}),
]


@pytest.mark.parametrize(("name", "scale", "arguments"), MADE)
def test_the_onnx_file_computes_the_same_at_any_size(tmp_path, name, scale, arguments):
    torch.manual_seed(0)
    network = build(name, scale=scale, arguments=arguments).eval()
    card = replace(describe(name, scale=scale, arguments=arguments), name="a")
    written = export_onnx(network, card, tmp_path / "a.onnx")
    engine = load(tmp_path / "a.onnx")
    assert engine.card == written
    assert (written.bound, written.multiple) == (
        getattr(network, "bound", None),
        getattr(network, "multiple", 1),
    )
    for height, width in [(5, 3), (16, 16), (37, 22)]:
        lr = np.random.default_rng(0).random((1, 3, height, width), dtype=np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(lr)).numpy()
        np.testing.assert_allclose(engine(lr), expected, atol=2e-5 * max(1, abs(expected).max()))
