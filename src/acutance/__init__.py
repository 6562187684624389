"""Make small pictures large, and make the networks that do it better by their loss.

The public verbs, each imported when first used, so that `import acutance` starts at once and
needs no torch:

    train(photos, run=...)            train a network on photographs; gives the run's outcome
    compare(photos, losses, run=...)  which loss is better, over seeds, with error bars
    tune(photos, loss, run=...)       which weights of a loss no others beat
    evaluate(model, folders, ...)     PSNR, SSIM, LPIPS ... by a named protocol
    upscale(image, model=...)         an array or picture, enlarged
    upscale_many(paths, out_dir=...)  many files, one after the other or at once
    degrade(picture, "blur | jpeg")   as training makes lr: blur, noise, codecs, in a drawn way
    downscale(image, scale)           MATLAB's bicubic reduction, bit-exact on uint8
    shrink(image, model=...)          made small by the F that a run learned
    bundled_models()                  what the package brings: scales, size, scores, licence
    load_model(path)                  a trained network, from a run folder or a file
    parse_loss(text)                  "0.9*l1 + 0.1*mse" as an expression that can be called
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from acutance.imaging.resample import downscale as downscale
    from acutance.losses.expression import parse_loss as parse_loss
    from acutance.models.checkpoint import load_model as load_model
    from acutance.models.listing import bundled_models as bundled_models
    from acutance.study.compare.study import compare as compare
    from acutance.study.degrading import degrade as degrade
    from acutance.study.score import evaluate as evaluate
    from acutance.study.tune.tuning import tune as tune
    from acutance.training.start import train as train
    from acutance.upscaling.batch.many import upscale_many as upscale_many
    from acutance.upscaling.picture import upscale as upscale
    from acutance.upscaling.shrinking import shrink as shrink

_VERBS = {
    "bundled_models": "acutance.models.listing",
    "compare": "acutance.study.compare.study",
    "degrade": "acutance.study.degrading",
    "downscale": "acutance.imaging.resample",
    "evaluate": "acutance.study.score",
    "load_model": "acutance.models.checkpoint",
    "parse_loss": "acutance.losses.expression",
    "shrink": "acutance.upscaling.shrinking",
    "train": "acutance.training.start",
    "tune": "acutance.study.tune.tuning",
    "upscale": "acutance.upscaling.picture",
    "upscale_many": "acutance.upscaling.batch.many",
}

__all__ = [  # pyright: ignore[reportUnsupportedDunderAll]
    "bundled_models",
    "compare",
    "degrade",
    "downscale",
    "evaluate",
    "load_model",
    "parse_loss",
    "shrink",
    "train",
    "tune",
    "upscale",
    "upscale_many",
]


def __getattr__(name: str) -> Any:
    if name not in _VERBS:
        raise AttributeError(f"module 'acutance' has no attribute '{name}'")
    return getattr(import_module(_VERBS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_VERBS])
