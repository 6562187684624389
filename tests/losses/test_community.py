"""Other trainers' option files become expressions, and what is hidden in them is said."""

from pathlib import Path

import pytest

from acutance.errors import InputError
from acutance.losses.community.imported import import_config

pytest.importorskip("yaml", reason="pyyaml is an extra")

FILES = Path(__file__).parent / "community"


def remarks(imported, place):
    return " ".join(r.text for r in imported.remarks if r.place == place)


def test_basicsr_esrgan():
    found = import_config(FILES / "esrgan.yml")
    assert found.expression == (
        "0.01*l1 + perceptual(layers='conv5_4') + 0.005*gan(kind='relativistic_average')"
    )
    assert found.trainer == "BasicSR"
    assert "relativistic average" in remarks(found, "train.gan_opt")


def test_basicsr_real_esrgan_with_ldl_and_style():
    found = import_config(FILES / "realesrgan.yml")
    layers = "0.1*conv1_2 + 0.1*conv2_2 + conv3_4 + conv4_4 + conv5_4"
    assert found.expression == (
        f"0.01*l1 + ldl_ema + perceptual + 120*gram_style(layers='{layers}') + 0.1*gan"
    )
    assert "divided by C H W" in remarks(found, "train.perceptual_opt")
    assert "averaged network" in remarks(found, "train.artifacts_opt")


def test_neosr():
    found = import_config(FILES / "neosr.toml")
    assert found.expression == (
        "ms_ssim + oklab + luma(space='lstar') + ldl + 0.3*gan + 0.5*perceptual"
    )
    assert found.trainer == "neosr"
    assert "left out" in remarks(found, "train.fdl_opt")
    assert "without a gradient" in remarks(found, "train.perceptual_opt")
    assert "mean over the batch" in remarks(found, "train.mssim_opt")


def test_trainner_redux():
    found = import_config(FILES / "trainner.yml")
    assert found.expression == "0.5*ms_ssim + 0.01*perceptual + 0.1*gan"
    assert found.trainer == "traiNNer-redux"
    assert "left out" in remarks(found, "train.losses[2]")
    assert "luma alone" in remarks(found, "train.losses[0]")


def written(tmp_path, text, name="a.yml"):
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


@pytest.mark.parametrize(
    ("options", "expression", "remark"),
    [
        ("{type: CharbonnierLoss, loss_weight: 1, eps: 1e-12}", "charbonnier(eps=1e-06)", "inside"),
        ("{type: WeightedTVLoss, loss_weight: 0.1}", "0.1*total_variation", ""),
        ("{type: MSELoss, loss_weight: 1e-2}", "0.01*mse", ""),
        (
            "{type: PerceptualLoss, perceptual_weight: 0, style_weight: 2, criterion: l2, "
            "layer_weights: {conv1_2: 1}}",
            "2*gram_style(criterion='mse', layers='conv1_2')",
            "C H W",
        ),
        ("{type: GANLoss, gan_type: lsgan, real_label_val: 0.9}", "gan(kind='least_squares', "
         "label=0.9)", "discriminator"),
        ("{type: SSIMLoss}", "ssim", "SSIM itself"),
        ("{type: FFTLoss, loss_weight: 0.1}", "0.1*fft(norm='backward')", "grows"),
        ("{type: GradientVarianceLoss, patch_size: 8}", "gradient_variance(patch=8)", "zeros"),
        ("{type: ColorLoss}", "chroma(pool=4)", ""),
        ("{type: MSSSIML1Loss, alpha: 0.84}", "ms_ssim_l1(alpha=0.84)", "different widths"),
        ("{type: PSNRLoss, to_y: true}", "y_channel(loss=psnr_loss)", ""),
        ("{type: FocalFrequencyLoss, ave_spectrum: true, alpha: 0.5}",
         "focal_frequency(alpha=0.5)", "cancel"),
    ],
)  # fmt: skip
def test_one_loss(tmp_path, options, expression, remark):
    found = import_config(written(tmp_path, f"train:\n  pixel_opt: {options}\n"))
    assert found.expression == expression
    assert remark in " ".join(r.text for r in found.remarks)


def test_the_hidden_factor_of_a_projected_distribution(tmp_path):
    text = "train:\n  losses:\n    - {type: perceptualloss, criterion: pd+l1, loss_weight: 0.5}\n"
    found = import_config(written(tmp_path, text))
    assert found.expression == "0.5*perceptual + 0.005*projected_distribution"
    assert "w_lambda 0.01" in found.remarks[0].text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yml", "a: [", "is not YAML"),
        ("a.toml", "a = [", "is not TOML"),
        ("a.yml", "just words", "holds no options"),
        ("a.yml", "name: x\n", "has no section 'train'"),
        ("a.yml", "train: {lr: 1}\n", "names no loss"),
        ("a.yml", "train: {losses: [{type: fdl_loss}]}\n", "Nothing in .* DINO"),
        ("a.yml", "train: {losses: [{type: l1loss, loss_weight: 0}]}\n", "all weights are 0"),
        ("a.yml", "train: {a_opt: {type: L1Loss, loss_weight: many}}\n", "a number, not 'many'"),
        ("a.yml", "train: {a_opt: {type: L1Loss, reduction: sum}}\n", "N C H W"),
        ("a.yml", "train: {a_opt: {type: PerceptualLoss, criterion: fro}}\n", "whole batch"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message):
        import_config(written(tmp_path, text, name))


def test_no_object_of_python_is_made_from_a_file(tmp_path):
    """YAML has tags that would call functions; they are refused, not run."""
    text = "train: !!python/object/apply:os.system ['touch hacked']\n"
    with pytest.raises(InputError, match="is not YAML"):
        import_config(written(tmp_path, text))
    assert not (tmp_path / "hacked").exists()
