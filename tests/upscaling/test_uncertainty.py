"""Error bars of a result: the same by every engine, joined from bands, written with their scale."""

import json
import math

import numpy as np
import onnx
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from acutance.cli.evaluate import evaluate
from acutance.cli.upscale import upscale
from acutance.errors import InputError, RunError
from acutance.evaluation.calibration import calibration
from acutance.imaging.files import read_picture, write_picture
from acutance.imaging.picture import Picture
from acutance.models import build
from acutance.models.building import describe
from acutance.models.card import ModelCard
from acutance.models.checkpoint import load_model, save_model
from acutance.study.score import evaluate as score
from acutance.upscaling import scoring
from acutance.upscaling.choice import open_engine
from acutance.upscaling.export import export_onnx
from acutance.upscaling.onnx_runtime import OnnxEngine
from acutance.upscaling.picture import PLAIN
from acutance.upscaling.picture import upscale as upscale_array
from acutance.upscaling.scoring import as_rgb_function
from acutance.upscaling.task import Upscaler, task_of, understood
from acutance.upscaling.uncertainty import sigma_of, with_sigma, write_sigma


@pytest.fixture(scope="module", params=["luma", "rgb"])
def model(request, tmp_path_factory):
    """A lively model whose spread differs from pixel to pixel."""
    folder = tmp_path_factory.mktemp(request.param)
    options = {"scale": 2, "channels": {"luma": 1, "rgb": 3}[request.param], "head": "spread"}
    options["arguments"] = {"features": 8, "convolutions": 2}
    torch.manual_seed(0)
    network = build("compact", **options)
    with torch.no_grad():
        network.spread.weight.mul_(1000)
        network.network.body[-1].weight.mul_(100)
    card = describe("compact", **options)
    save_model(network, card, folder / "model.safetensors")
    export_onnx(network, card, folder / "model.onnx")
    return folder


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (33, 17, 3), dtype=np.uint8)


def made_by(model, engine, pixels):
    return with_sigma(open_engine(model, engine=engine))(Picture(pixels))


def test_engines_agree(model, pixels):
    a, b = (made_by(model, engine, pixels) for engine in ("pytorch", "onnx_runtime"))
    np.testing.assert_allclose(a.mean, b.mean, atol=3e-3, rtol=0)
    np.testing.assert_allclose(a.sigma, b.sigma, atol=3e-3, rtol=1e-4)
    assert np.std(a.sigma) > 1


def test_sigma_is_that_of_the_network(pixels, model):
    network = load_model(model)
    made = made_by(model, "pytorch", pixels)
    if network.channels == 3:
        lr = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            log_scale = network(lr)["log_scale"][0].permute(1, 2, 0).numpy()
        wanted = 255 * np.hypot(np.exp(log_scale), 1 / 1024)
        np.testing.assert_allclose(made.sigma, wanted, atol=1e-3, rtol=1e-4)
    assert made.sigma.shape == (66, 34, network.channels)


def test_the_result_is_the_one_without_error_bars(model, pixels):
    engine = open_engine(model, engine="pytorch")
    made = with_sigma(engine)(Picture(pixels)).picture.pixels
    np.testing.assert_array_equal(made, as_rgb_function(engine)(pixels))
    np.testing.assert_array_equal(made, upscale_array(pixels, model=engine))


def test_bands_are_joined(model, pixels, monkeypatch):
    engine = open_engine(model, engine="onnx_runtime")
    whole = made_by(model, "onnx_runtime", pixels)
    monkeypatch.setattr(scoring, "PIECE_PX", 17 * 26)
    cut = made_by(model, "onnx_runtime", pixels)
    task = task_of(Upscaler(engine), understood(Picture(pixels).facts, Upscaler(engine), PLAIN))
    assert scoring.fixed_cut(task).rows < 33
    np.testing.assert_allclose(cut.sigma, whole.sigma, atol=1e-3, rtol=1e-4)
    np.testing.assert_allclose(cut.mean, whole.mean, atol=1e-3)


def test_the_twin_gives_both_outputs_by_name(model):
    outputs = [output.name for output in onnx.load(model / "model.onnx").graph.output]
    assert outputs == ["sr", "log_scale"]


def test_a_twin_with_another_spread_is_not_written(tmp_path, monkeypatch):
    run = OnnxEngine.with_spread

    def wrong(self, lr):
        sr, log_scale = run(self, lr)
        return sr, log_scale + np.float32(1e-3)

    monkeypatch.setattr(OnnxEngine, "with_spread", wrong)
    options = {"name": "compact:nano", "scale": 2, "head": "spread"}
    with pytest.raises(RunError, match="does not compute what the network computes"):
        export_onnx(build(**options), describe(**options), tmp_path / "a.onnx")


def test_a_laplace_spread_becomes_a_sigma():
    log_scale = np.full((1, 1, 1, 1), math.log(0.05), dtype=np.float32)
    gauss = sigma_of(log_scale, ModelCard("compact", 2, loss="gaussian_nll"))
    laplace = sigma_of(log_scale, ModelCard("compact", 2, loss="l1(stop=9) + laplace_nll"))
    assert gauss.item() == pytest.approx(math.hypot(0.05, 1 / 1024))
    assert laplace.item() == pytest.approx(math.sqrt(2) * math.hypot(0.05, 1 / 1024))


def test_the_picture_of_sigma_says_its_scale(tmp_path):
    sigma = np.array([[[1.0, 1.0, 1.0], [3.0, 0.0, 4.0]], [[20.0] * 3, [60.0] * 3]])
    write_sigma(tmp_path / "a.png", sigma)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "L"
        assert image.text["Description"].startswith("Predicted sigma: 5 grey levels are 1 level")
        wanted = [[5, round(5 * math.sqrt(25 / 3))], [100, 255]]
        np.testing.assert_array_equal(np.asarray(image), wanted)
    with pytest.raises(InputError, match="exists already"):
        write_sigma(tmp_path / "a.png", sigma)


def test_upscale_writes_it_beside_the_result(model, pixels, tmp_path):
    write_picture(tmp_path / "a.png", Picture(pixels))
    arguments = [str(tmp_path / "a.png"), "-o", str(tmp_path / "b.png"), "-m", str(model)]
    done = CliRunner().invoke(upscale, [*arguments, "--uncertainty"])
    assert done.exit_code == 0, done.output
    beside = tmp_path / "b.uncertainty.png"
    assert done.stdout.splitlines() == [str(tmp_path / "b.png"), str(beside)]
    assert read_picture(beside).pixels.shape == (66, 34, 1)
    again = CliRunner().invoke(upscale, [*arguments, "--uncertainty", "--overwrite", "--json"])
    (written,) = json.loads(again.stdout)["written"]
    assert written["uncertainty"] == str(beside)
    (tmp_path / "b.png").unlink()
    refused = CliRunner().invoke(upscale, [*arguments, "--uncertainty"])
    assert "b.uncertainty.png exists already" in str(refused.exception)
    assert not (tmp_path / "b.png").exists()


def test_models_that_do_not_say_are_refused(rgb_model, pixels, tmp_path):
    write_picture(tmp_path / "a.png", Picture(pixels))
    arguments = [str(tmp_path / "a.png"), "-o", str(tmp_path / "b.png"), "--uncertainty"]
    refusals = {
        ("-m", str(rgb_model)): "does not say how sure it is",
        ("-m", "bicubic", "--scale", "2"): "can be had of its own enlargement only",
    }
    for given, message in refusals.items():
        refused = CliRunner().invoke(upscale, [*arguments, *given])
        assert isinstance(refused.exception, InputError)
        assert message in str(refused.exception)
    assert not (tmp_path / "b.png").exists()


def test_calibration_by_hand():
    """Errors of 1, 1, 3 and 0 at sigmas 1, 0.5, 1 and 1: z = 1, 2, 3, 0."""
    mean, hr = np.zeros((2, 2, 1)), np.array([[[1.0], [-1.0]], [[3.0], [0.0]]])
    sigma = np.array([[[1.0], [0.5]], [[1.0], [1.0]]])
    assert calibration(mean, sigma, hr) == {"coverage": 0.5, "squared_z": 14 / 4}
    framed = [np.pad(a, ((1, 1), (1, 1), (0, 0)), constant_values=9.0) for a in (mean, sigma, hr)]
    framed[2][0] = 1000
    assert calibration(*framed, border=1) == {"coverage": 0.5, "squared_z": 14 / 4}


def test_evaluation_reports_it_beside_psnr(model, photo_folder, tmp_path):
    target = tmp_path / "scores.json"
    arguments = [str(model), "--data", str(photo_folder)]
    shown = CliRunner().invoke(evaluate, [*arguments, "--json", str(target)])
    assert shown.exit_code == 0, shown.output
    (scores,) = json.loads(target.read_text())["sets"].values()
    assert "in 1.96 sigma" in shown.stdout
    assert f"{scores['coverage']:.3f}" in shown.stdout
    assert 0 < scores["coverage"] < 1
    assert scores["squared_z"] > 0
    assert set(next(iter(scores["images"].values()))) == {"psnr", "ssim", "coverage", "squared_z"}


def test_coverage_is_that_of_the_network_on_its_own_channels(model, photo_folder, tmp_path):
    """One picture by hand, in the network's channels, without the border of y@1."""
    from acutance.imaging.colour import luma
    from acutance.imaging.resample import downscale

    hr = read_picture(photo_folder / "drawn0.png").pixels
    write_picture(tmp_path / "one" / "a.png", Picture(hr))
    (row,) = [r for r in score(model, tmp_path / "one").rows if r.metric == "coverage"]
    made = made_by(model, "pytorch", downscale(hr, 2))
    target = hr if made.mean.shape[2] == 3 else luma(hr)[:, :, None]
    within = np.abs(target - made.mean) <= 1.96 * made.sigma
    assert row.value == pytest.approx(within[2:-2, 2:-2].mean(), abs=1e-4)


def test_ordinary_models_have_no_such_columns(rgb_model, photo_folder):
    shown = CliRunner().invoke(evaluate, [str(rgb_model), "--data", str(photo_folder)])
    assert "sigma" not in shown.stdout
