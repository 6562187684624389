"""Networks in 8 bits: calibrated on real pictures, and never without saying what it costs."""

import logging
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from torch import nn

from acutance.data.degradations.crops import Degrading, draw_for
from acutance.data.degradations.expression import parse_degradation
from acutance.errors import InputError, MissingPackageError
from acutance.imaging.colour import rgb_to_ycbcr
from acutance.imaging.files import picture_paths, read_rgb
from acutance.imaging.resample import crop_to_multiple, downscale
from acutance.models.card import METADATA_KEY, ModelCard
from acutance.models.checkpoint import stamped
from acutance.models.processor import processor_name
from acutance.storage import write_atomically
from acutance.upscaling.engine import NamedEngine
from acutance.upscaling.export import evaluating, write_onnx
from acutance.upscaling.ir_files import IR_ENDING, put_in_place
from acutance.upscaling.onnx_runtime import OnnxEngine

_MOST_CALIBRATED, _MOST_SCORED = 100, 24  # pictures
_SIDE_PX = 256  # of the middle that is taken out of each picture, in hr pixels
_ROUNDS = 5
_IN_FLOAT = ".*enlarge.*"  # what the network corrects: rounding there would be in every picture


@dataclass(frozen=True)
class Cost:
    """What 8 bits cost and gave, by pictures that calibration did not see where there are two."""

    loss_db: float  # PSNR against hr in float32, less that in 8 bits; border of `scale` left out
    apart_db: float  # PSNR of the 8-bit result against the float32 one
    speed: float  # seconds in float32 over seconds in 8 bits, same engine
    engine: str
    scored: int  # pictures


@dataclass(frozen=True, eq=False)
class Pair:
    """What a network is given and what it should make of it: (1, c, h, w) in [0, 1]."""

    lr: np.ndarray
    hr: np.ndarray


def export_int8(
    network: nn.Module, card: ModelCard, path: Path, pictures: Sequence[Path]
) -> tuple[ModelCard, Cost]:
    """Write `network` in 8 bits as .onnx, or as .xml with its .bin; give its card and its cost.

    `pictures` are files or folders of photographs in full size: made small by bicubic, or by the
    chain that the network was trained with, every second one calibrates it; the others are scored.
    The card says what was lost under scores.int8, and has no digest, for these are not the model's
    weights.
    """
    if path.suffix not in (".onnx", IR_ENDING):
        raise InputError(f"{path} must end in .onnx or {IR_ENDING}.")
    if card.head:
        raise InputError(f"A network with the head '{card.head}' is not quantised: only its sr is.")
    form = _openvino_form(path) if path.suffix == IR_ENDING else _onnx_form(path)
    pairs = [_pair(file, card) for file in picture_paths(list(pictures))[: 2 * _MOST_CALIBRATED]]
    if not pairs:
        raise InputError("There is no picture to calibrate with. Give a folder of photographs.")
    seen, unseen = pairs[::2], pairs[1::2][:_MOST_SCORED] or pairs
    full = stamped(card, network)
    with evaluating(network), tempfile.TemporaryDirectory() as folder:
        plain, tried = Path(folder) / "plain.onnx", Path(folder) / f"tried{path.suffix}"
        write_onnx(network, full, plain)
        model = form.quantise(plain, [pair.lr for pair in seen])
        form.write(model, full, tried)
        cost = _cost(form.open(plain), form.open(tried), unseen)
        told = {**(full.scores or {}), "int8": _said(cost)}
        final = replace(full, weights="", scores=told)
        form.put(model, final, path)
    return final, cost


@dataclass(frozen=True)
class _Form:
    """What differs between the two kinds of files."""

    quantise: Callable[[Path, list[np.ndarray]], Any]
    write: Callable[[Any, ModelCard, Path], None]
    open: Callable[[Path], NamedEngine]
    put: Callable[[Any, ModelCard, Path], None]


def _onnx_form(path: Path) -> _Form:
    import onnx

    def write(model: Any, card: ModelCard, place: Path) -> None:
        onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
        place.write_bytes(model.SerializeToString())

    return _Form(
        quantise=lambda plain, seen: _quantised(
            onnx.load(plain), [{"lr": lr} for lr in seen], path
        ),
        write=write,
        open=OnnxEngine,
        put=lambda model, card, place: write_atomically(place, lambda t: write(model, card, t)),
    )


def _openvino_form(path: Path) -> _Form:
    from acutance.upscaling.openvino_export import write_ir
    from acutance.upscaling.openvino_runtime import OpenVinoEngine, runtime_for

    def put(model: Any, card: ModelCard, place: Path) -> None:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "model.xml"
            write_ir(model, card, made)
            put_in_place(made, place)

    core = runtime_for(path).Core()
    return _Form(
        quantise=lambda plain, seen: _quantised(core.read_model(plain), list(seen), path),
        write=write_ir,
        open=OpenVinoEngine,
        put=put,
    )


def _quantised(model: Any, seen: list[Any], path: Path) -> Any:
    # NNCF reports each use to its makers unless it takes this for a test of its own
    os.environ["NNCF_CI"] = "1"
    try:
        import nncf  # pyright: ignore[reportMissingImports]  # an extra
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            error.name or "nncf", "int8", f"Writing {path} in 8 bits"
        ) from error
    from nncf.quantization.advanced_parameters import (  # pyright: ignore[reportMissingImports]
        AdvancedQuantizationParameters,
    )
    from nncf.quantization.range_estimator import (  # pyright: ignore[reportMissingImports]
        RangeEstimatorParametersSet,
    )

    nncf.set_log_level(logging.ERROR)
    # Whole ranges: a mean of those of the pictures, as is usual for classifiers, cuts off what lies
    # beyond it in the strongest of them.
    whole = AdvancedQuantizationParameters(
        activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
    )
    with redirect_stdout(StringIO()):  # its progress bars
        return nncf.quantize(
            model,
            nncf.Dataset(seen),
            subset_size=len(seen),
            preset=nncf.QuantizationPreset.MIXED,  # activations with a zero point of their own
            advanced_parameters=whole,
            ignored_scope=nncf.IgnoredScope(patterns=[_IN_FLOAT], validate=False),
        )


def _pair(file: Path, card: ModelCard) -> Pair:
    hr = crop_to_multiple(_middle(read_rgb(file)), card.scale)
    if min(hr.shape[:2]) < 8 * card.scale:
        raise InputError(f"{file} is smaller than {8 * card.scale} pixels. Leave it out.")
    if not card.degradation:
        return Pair(_planes(downscale(hr, card.scale), card), _planes(hr, card))
    by = Degrading(parse_degradation(card.degradation), grey=card.color == "luma")
    lr = by(hr, scale=card.scale, draw=draw_for(file.stem, seed=0))
    return Pair(_unit(lr), _planes(hr, card))


def _middle(pixels: np.ndarray) -> np.ndarray:
    top, left = (max(0, (side - _SIDE_PX) // 2) for side in pixels.shape[:2])
    return pixels[top : top + _SIDE_PX, left : left + _SIDE_PX]


def _planes(rgb: np.ndarray, card: ModelCard) -> np.ndarray:
    return _unit(rgb_to_ycbcr(rgb)[:, :, :1] if card.color == "luma" else rgb)


def _unit(planes: np.ndarray) -> np.ndarray:
    whole = planes.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(whole.transpose(2, 0, 1)[None])


def _cost(plain: NamedEngine, quantised: NamedEngine, pairs: Sequence[Pair]) -> Cost:
    border = plain.card.scale
    before, after, apart = [], [], []
    for pair in pairs:
        whole, rounded = plain(pair.lr), quantised(pair.lr)
        before.append(_psnr(whole, pair.hr, border))
        after.append(_psnr(rounded, pair.hr, border))
        apart.append(_psnr(rounded, whole, border))
    lr = max((pair.lr for pair in pairs), key=lambda array: array.size)
    return Cost(
        loss_db=float(np.mean(before) - np.mean(after)),
        apart_db=float(np.mean(apart)),
        speed=_ratio(plain, quantised, lr),
        engine=plain.name,
        scored=len(pairs),
    )


def _psnr(found: np.ndarray, expected: np.ndarray, border: int) -> float:
    inner = np.s_[..., border:-border, border:-border]
    difference = np.clip(found[inner], 0, 1).astype(np.float64) - np.clip(expected[inner], 0, 1)
    return float(-10 * np.log10(max(np.mean(np.square(difference)), 1e-10)))


def _ratio(plain: NamedEngine, quantised: NamedEngine, lr: np.ndarray) -> float:
    """Best of some rounds in turns, so that other work on the machine hits both alike."""
    times: dict[str, list[float]] = {"plain": [], "quantised": []}
    for _ in range(_ROUNDS):
        for name, engine in (("plain", plain), ("quantised", quantised)):
            begun = perf_counter()
            engine(lr)
            times[name].append(perf_counter() - begun)
    return min(times["plain"]) / min(times["quantised"])


def _said(cost: Cost) -> dict[str, object]:
    """For the card: numbers with what is needed to understand them."""
    return {
        "loss_db": round(cost.loss_db, 4),
        "apart_db": round(cost.apart_db, 2),
        "speed": round(cost.speed, 2),
        "engine": cost.engine,
        "pictures": cost.scored,
        "processor": processor_name(),
    }
