"""A network as an ONNX file, proven equal to it before it is put in place."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from acutance.errors import InputError, MissingPackageError, RunError
from acutance.models.card import METADATA_KEY, ModelCard
from acutance.models.checkpoint import stamped
from acutance.models.spread import SrAndSpread, WithSpread
from acutance.storage import write_atomically
from acutance.upscaling.engine import SpreadEngine
from acutance.upscaling.half_weights import store_in_half
from acutance.upscaling.merging import merged
from acutance.upscaling.onnx_runtime import OnnxEngine
from acutance.upscaling.phases import without_transposed

OPSET = 17  # the newest that torch's tracing exporter was written for; read by runtimes since 2022
TOLERANCE = 2e-5
"""In [0, 1]; a step of 8 bits is 4e-3. ONNX Runtime's sigmoids alone take PAN x4 off by 4e-6."""
PROOF_SIZE = (37, 29)  # odd, and unlike the size that is traced: sizes must have stayed free


def export_onnx(
    network: nn.Module, card: ModelCard, path: Path, *, half: bool = False
) -> ModelCard:
    """Write `network` as ONNX for any picture size, with its card in the metadata.

    The file is compared with the network on a seeded picture and written only if they agree to
    TOLERANCE. The card that is written is returned; it equals that of `save_model`. A network
    with the head "spread" gives its second output as "log_scale". With `half`, weights that 16
    bits hold exactly are stored in them; engines compute in 32 as ever.
    """
    if path.suffix != ".onnx":
        raise InputError(f"{path} must end in .onnx.")
    full = stamped(card, network)
    with evaluating(network):
        write_atomically(path, lambda temporary: _write_proven(network, full, temporary, half))
    return full


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in eval mode, and afterwards as it was."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def _write_proven(network: nn.Module, card: ModelCard, path: Path, half: bool) -> None:
    write_onnx(network, card, path)
    if half:
        store_in_half(path)
    check_equal(network, OnnxEngine(path), "The ONNX file")


def write_onnx(network: nn.Module, card: ModelCard, path: Path) -> None:
    """Write `network`, in eval mode, as ONNX with `card` as it is; not yet compared."""
    _trace(network, path)
    _add_card(card, path)


def _trace(network: nn.Module, path: Path) -> None:
    device = next(network.parameters()).device
    network = without_transposed(merged(network))
    names = ["sr", "log_scale"] if isinstance(network, WithSpread) else ["sr"]
    traced = SrAndSpread(network) if isinstance(network, WithSpread) else network
    sizes = {name: {0: "n", 2: "sh", 3: "sw"} for name in names}
    with warnings.catch_warnings():
        # torch would rather have its other exporter used, which needs one more package
        for notice in ("You are using the legacy TorchScript", "The feature will be removed"):
            warnings.filterwarnings("ignore", notice, DeprecationWarning)
        torch.onnx.export(
            traced,
            (torch.zeros(1, network.channels, 16, 16, device=device),),  # pyright: ignore
            path,
            input_names=["lr"],
            output_names=names,
            dynamic_axes={"lr": {0: "n", 2: "h", 3: "w"}, **sizes},
            opset_version=OPSET,
            dynamo=False,
        )


def _add_card(card: ModelCard, path: Path) -> None:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingPackageError("onnx", "train", "Exporting a model") from error
    model = onnx.load(path)
    onnx.helper.set_model_props(model, {METADATA_KEY: card.to_json()})
    onnx.save(model, path)


def check_equal(network: nn.Module, engine: SpreadEngine, what: str) -> None:
    """Raise RunError unless the engine computes what the network does, on a seeded picture."""
    device = next(network.parameters()).device
    channels = int(network.channels)  # pyright: ignore[reportArgumentType]
    picture = _drawn(channels)
    with torch.inference_mode():
        made = network(torch.from_numpy(picture).to(device))
    if isinstance(made, dict):
        pairs = zip(made.values(), engine.with_spread(picture), strict=True)
    else:
        pairs = zip([made], [engine(picture)], strict=True)
    if not all(_agree(expected.float().cpu().numpy(), found) for expected, found in pairs):
        raise RunError(
            f"{what} was not written: it does not compute what the network computes. "
            "Use the .safetensors file with the engine pytorch."
        )


def _drawn(channels: int) -> np.ndarray:
    """Waves, a patch and a little grain (1, c, h, w) in [0, 1].

    Not noise: networks that multiply features by each other, as PAN, were never taught to keep
    within bounds on it, and x4 gives 1e21 with any rounding.
    """
    generator = np.random.default_rng(0)
    y, x = np.mgrid[: PROOF_SIZE[0], : PROOF_SIZE[1]]
    a, b = generator.uniform(0.1, 0.7, (2, channels, 1, 1))
    picture = 0.5 + 0.25 * np.sin(a * x + b * y) * np.cos(b * x - a * y)
    picture[:, 12:20, 9:17] = generator.random((channels, 1, 1))
    picture += generator.normal(0, 0.02, picture.shape)
    return picture.clip(0, 1).astype(np.float32)[None]


def _agree(expected: np.ndarray, found: np.ndarray) -> bool:
    if found.shape != expected.shape:
        return False
    size = max(1.0, float(np.abs(expected).max()))  # untrained networks may leave [0, 1] far behind
    return bool(np.abs(found - expected).max() <= TOLERANCE * size)
