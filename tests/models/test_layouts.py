"""Community files are told by their layers' names and shapes, whatever program wrote them."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from acutance.errors import InputError
from acutance.models import build
from acutance.models.checkpoint import load_model
from acutance.models.layouts import renamed_esrgan
from acutance.models.rlfn import Rlfn

DATA = Path(os.environ.get("ACUTANCE_DATA", "/nowhere"))
SMALL = {"blocks": 2, "features": 16, "growth": 8}

needs_weights = pytest.mark.skipif(
    not (DATA / "weights").is_dir(), reason="the published weights are not in ACUTANCE_DATA"
)


def older_names(network, enlargements: int) -> dict[str, torch.Tensor]:
    """The first layout of ESRGAN's files, by hand: the chain's places, activations between."""
    hr = 2 + 3 * enlargements  # 0 first, 1 body, then (enlarge, convolve, activate) for each
    places = {f"conv_up{n}": f"model.{3 * n}" for n in range(1, enlargements + 1)}
    places |= {"conv_first": "model.0", "conv_hr": f"model.{hr}", "conv_last": f"model.{hr + 2}"}
    blocks = sum(name.endswith("rdb1.conv1.weight") for name in network.state_dict())
    places |= {"conv_body": f"model.1.sub.{blocks}"}
    old = {}
    for name, tensor in network.state_dict().items():
        module, _, kind = name.rpartition(".")
        if module.startswith("body."):
            _, block, dense, conv = module.split(".")
            place = f"model.1.sub.{block}.{dense.upper()}.{conv}.0"
        else:
            place = places[module]
        old[f"{place}.{kind}"] = tensor
    return old


def middle_names(network) -> dict[str, torch.Tensor]:
    """The layout of ESRGAN's own repository."""
    return {
        name.replace("body.", "RRDB_trunk.", 1 if name.startswith("body.") else 0)
        .replace("rdb", "RDB")
        .replace("conv_body", "trunk_conv")
        .replace("conv_up", "upconv")
        .replace("conv_hr", "HRconv"): tensor
        for name, tensor in network.state_dict().items()
    }


LAYOUTS = {
    "oldest": lambda network: older_names(network, 2),
    "middle": middle_names,
    "newest": lambda network: network.state_dict(),
    "distributed": lambda network: {f"module.{k}": v for k, v in network.state_dict().items()},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_esrgan_is_known_under_all_its_names(tmp_path, layout):
    network = build("esrgan", scale=4, arguments=SMALL).eval()
    torch.save({"params_ema": LAYOUTS[layout](network)}, tmp_path / "4x.pth")
    loaded = load_model(tmp_path / "4x.pth")
    assert (loaded.card.architecture, loaded.card.scale, loaded.card.multiple) == ("esrgan", 4, 1)
    assert loaded.card.arguments == {"channels": 3, "unshuffle": 1, "strided": 1, **SMALL}
    lr = torch.rand(1, 3, 7, 5)
    with torch.inference_mode():
        assert torch.equal(loaded(lr), network(lr))


def test_the_oldest_names_by_hand():
    """As Real-ESRGAN's and spandrel's converters list them for x4 and 23 blocks."""
    old = ["model.0", "model.1.sub.0.RDB1.conv1.0", "model.1.sub.22.RDB3.conv5.0"]
    old += ["model.1.sub.23", "model.3", "model.6", "model.8", "model.10"]
    new = ["conv_first", "body.0.rdb1.conv1", "body.22.rdb3.conv5"]
    new += ["conv_body", "conv_up1", "conv_up2", "conv_hr", "conv_last"]
    found = renamed_esrgan({f"{name}.weight": torch.zeros(1) for name in old})
    assert list(found) == [f"{name}.weight" for name in new]


@pytest.mark.parametrize(("scale", "enlargements"), [(1, 0), (2, 1), (8, 3)])
def test_the_scale_is_counted_from_the_enlargements(tmp_path, scale, enlargements):
    network = build("esrgan", scale=scale, arguments=SMALL)
    save_file(older_names(network, enlargements), tmp_path / "a.safetensors")
    assert load_model(tmp_path / "a.safetensors").card.scale == scale


@pytest.mark.parametrize(("scale", "unshuffle"), [(2, 2), (1, 4)])
def test_unshuffled_pictures_are_seen_from_the_channels(tmp_path, scale, unshuffle):
    arguments = {**SMALL, "unshuffle": unshuffle}
    network = build("esrgan", scale=scale, arguments=arguments).eval()
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    card = load_model(tmp_path / "a.safetensors").card
    assert (card.scale, card.multiple, card.arguments["unshuffle"]) == (scale, unshuffle, unshuffle)
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 5, 9)).shape == (1, 3, 5 * scale, 9 * scale)


def test_rlfn_of_0_to_255_becomes_one_of_0_to_1(tmp_path):
    """In float64, where rounding is far below what a wrong fold would change."""
    torch.manual_seed(0)
    network = build("rlfn", scale=2).eval()
    save_file(network.state_dict(), tmp_path / "a.safetensors")
    loaded = load_model(tmp_path / "a.safetensors").double()
    lr = torch.rand(1, 3, 21, 17, dtype=torch.float64)
    with torch.inference_mode():
        expected = network.double()(255 * lr) / 255
        torch.testing.assert_close(loaded(lr), expected, atol=1e-6, rtol=1e-6)
    assert loaded.card.input_range == (0.0, 1.0)


def test_rlfn_takes_what_its_pooling_does_not():
    network = Rlfn(scale=2).eval()
    with torch.inference_mode():
        for size in [(1, 1), (2, 40), (14, 15)]:
            sr = network(torch.rand(1, 3, *size))
            assert sr.shape[2:] == (2 * size[0], 2 * size[1])
            assert sr.isfinite().all()


def test_a_scale_that_use_does_not_tell_is_asked_for(tmp_path):
    """Untrained PAN enlarges no better at one scale than at another."""
    torch.manual_seed(0)
    save_file(build("pan", scale=2).state_dict(), tmp_path / "a.safetensors")
    with pytest.raises(InputError) as error:
        load_model(tmp_path / "a.safetensors")
    assert str(error.value).endswith(
        "a.safetensors fits 'pan' at several scales. Say which, as in 'pan@2'."
    )
    assert load_model(tmp_path / "a.safetensors", architecture="pan@3").card.scale == 3


PUBLISHED = [f"{name}_x{scale}" for name in ("imdn", "pan") for scale in (2, 3, 4)]
PUBLISHED += ["rlfn_x2", "rlfn_x4"]


@needs_weights
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_recognised(name):
    loaded = load_model(DATA / "weights" / f"{name}.safetensors")
    assert f"{loaded.card.architecture}_x{loaded.card.scale}" == name
    parameters = sum(
        t.numel() for t in load_file(DATA / "weights" / f"{name}.safetensors").values()
    )
    assert sum(p.numel() for p in loaded.parameters()) == parameters


# PSNR and SSIM of luma, protocol y@1, on Set5: measured with the authors' code; the papers' agree
SCORES = {
    "imdn_x2": (37.996, 0.9605),
    "imdn_x3": (34.360, 0.9270),
    "imdn_x4": (32.210, 0.8948),
    "pan_x2": (38.001, 0.9605),
    "pan_x3": (34.400, 0.9272),
    "pan_x4": (32.131, 0.8948),
    "rlfn_x2": (38.066, 0.9607),
    "rlfn_x4": (32.238, 0.8953),
}


@pytest.mark.slow
@needs_weights
@pytest.mark.parametrize("name", SCORES)
def test_published_scores_on_set5(name):
    from acutance.study.score import evaluate

    found = evaluate(DATA / "weights" / f"{name}.safetensors", DATA / "Set5")
    psnr, ssim = SCORES[name]
    assert found.mean("Set5", "psnr") == pytest.approx(psnr, abs=0.02)
    assert found.mean("Set5", "ssim") == pytest.approx(ssim, abs=0.0005)


@needs_weights
def test_published_score_of_one_picture():
    """The fast one of the above: a crop, so that something fails at once when a network breaks."""
    import numpy as np

    from acutance.imaging.files import read_rgb
    from acutance.imaging.resample import downscale, resize

    hr = read_rgb(DATA / "Set5" / "HR" / "butterfly.png")[:160, :160]
    lr = downscale(hr, 4)
    truth = hr[8:-8, 8:-8].astype(float)
    bicubic = np.square(resize(lr, scale=4)[8:-8, 8:-8].astype(float) - truth).mean()
    x = torch.from_numpy(np.ascontiguousarray(lr)).permute(2, 0, 1)[None] / 255
    for name in ("imdn_x4", "pan_x4", "rlfn_x4"):
        network = load_model(DATA / "weights" / f"{name}.safetensors")
        with torch.inference_mode():
            sr = 255 * network(x)[0].clamp(0, 1).permute(1, 2, 0).double().numpy()
        assert np.square(sr[8:-8, 8:-8] - truth).mean() < 0.5 * bicubic  # 3 dB better
