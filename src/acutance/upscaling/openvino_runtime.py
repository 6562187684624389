"""OpenVINO: often the fastest on processors of Intel and AMD. Float32 unless asked otherwise."""

from pathlib import Path
from typing import Any

import numpy as np

from acutance.errors import MissingPackageError
from acutance.models.card import METADATA_KEY, ModelCard, damaged, find_model, parse_card
from acutance.upscaling.engine import PLAIN, EngineFacts, How, Precision, told_apart
from acutance.upscaling.foreign_onnx import check_ports, probed_card
from acutance.upscaling.ir_files import IR_ENDING, checked_ir
from acutance.upscaling.onnx_runtime import checked_header, precision_of

ENGINE = EngineFacts(
    package="openvino",
    extra="openvino",
    reads=(".onnx", IR_ENDING),
    tolerance=1e-5,
    start_s=0.3,
)
_TYPES = {"f32": "tensor(float)", "f16": "tensor(float16)"}
_PRECISIONS: dict[str, Precision] = {"f32": "f32", "bf16": "bf16", "f16": "f16"}


def load(path: Path, how: How = PLAIN) -> "OpenVinoEngine":
    """The network of an .onnx or .xml file, ready to be called on arrays."""
    return OpenVinoEngine(find_model(path), how)


class OpenVinoEngine:
    """A compiled network as a function of arrays.

    Left alone, OpenVINO takes bf16 or f16 where the processor has it, so that one model gives
    different pictures on different machines: float32 is demanded unless `fast` is asked for.
    """

    name = "openvino"

    def __init__(self, path: Path, how: How = PLAIN) -> None:
        runtime = runtime_for(path)
        text = checked_ir(path) if path.suffix == IR_ENDING else None
        if path.suffix != IR_ENDING:
            text = checked_header(path).metadata.get(METADATA_KEY)
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": how.thread_count}
        if not how.fast:
            settings["INFERENCE_PRECISION_HINT"] = "f32"
        try:
            core = runtime.Core()
            network = core.read_model(path)
            compiled = core.compile_model(network, "CPU", settings)
        except Exception as error:  # RuntimeError and others, none of its own
            raise damaged(path, error) from error
        port = check_ports(path, [_port(p) for p in network.inputs])
        self._dtype = port.dtype
        self._request = compiled.create_infer_request()
        self.card: ModelCard = (
            probed_card(path, port, self.__call__) if text is None else parse_card(path, text)
        )
        hint = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        stored = precision_of(self.card, port.dtype)
        self.precision: Precision = stored if stored != "f32" else _PRECISIONS.get(hint, "f32")

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        return self._run(lr)[0]

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr and log_scale of a network with the head "spread"."""
        sr, log_scale = self._run(lr)
        return sr, log_scale

    def _run(self, lr: np.ndarray) -> list[np.ndarray]:
        given = np.ascontiguousarray(lr, dtype=self._dtype)
        with told_apart(self.name):
            made = self._request.infer({0: given}, share_inputs=True)
            # copies: the request writes its next result into the same memory
            return [np.array(array, dtype=np.float32) for array in made.values()]


def runtime_for(path: Path) -> Any:
    """The package openvino."""
    try:
        import openvino
    except ModuleNotFoundError as error:
        raise MissingPackageError("openvino", "openvino", f"Running {path}") from error
    return openvino


def _port(given: Any) -> tuple[str, str, list[int | str | None]]:
    kind = str(given.element_type.get_type_name())
    shape = [None if axis.is_dynamic else axis.get_length() for axis in given.partial_shape]
    return given.any_name, _TYPES.get(kind, kind), shape
