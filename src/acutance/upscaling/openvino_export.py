"""A network as OpenVINO's own pair of files, proven equal to it before it is put in place."""

import tempfile
from pathlib import Path
from typing import Any

from torch import nn

from acutance.errors import InputError
from acutance.models.card import METADATA_KEY, ModelCard
from acutance.models.checkpoint import stamped
from acutance.upscaling.export import check_equal, evaluating, write_onnx
from acutance.upscaling.ir_files import (
    IR_ENDING,
    WEIGHTS_ENDING,
    WEIGHTS_KEY,
    digest_of,
    put_in_place,
)
from acutance.upscaling.openvino_runtime import OpenVinoEngine, runtime_for


def export_openvino(network: nn.Module, card: ModelCard, path: Path) -> ModelCard:
    """Write `network` as NAME.xml and NAME.bin in float32, for any picture size.

    As `export_onnx`: compared with the network first, and with the same card, which is returned.
    """
    if path.suffix != IR_ENDING:
        raise InputError(f"{path} must end in {IR_ENDING}; its weights go beside it.")
    runtime = runtime_for(path)
    full = stamped(card, network)
    with evaluating(network), tempfile.TemporaryDirectory() as folder:
        onnx, made = Path(folder) / "model.onnx", Path(folder) / "model.xml"
        write_onnx(network, full, onnx)
        write_ir(runtime.Core().read_model(onnx), full, made)
        check_equal(network, OpenVinoEngine(made), "The OpenVINO file")
        put_in_place(made, path)
    return full


def write_ir(model: Any, card: ModelCard, path: Path) -> None:
    """Write OpenVINO's `model` with `card` in it, and with what its weights must be."""
    runtime = runtime_for(path)
    weights = path.with_suffix(WEIGHTS_ENDING)
    model.set_rt_info(card.to_json(), METADATA_KEY)
    runtime.serialize(model, path, weights)
    model.set_rt_info(digest_of(weights), WEIGHTS_KEY)
    runtime.serialize(model, path, weights)
