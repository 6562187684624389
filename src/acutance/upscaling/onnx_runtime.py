"""The engine without torch: a small picture is done before torch would be imported."""

from pathlib import Path
from typing import Any

import numpy as np

from acutance.errors import InputError, MissingPackageError
from acutance.models.card import METADATA_KEY, ModelCard, damaged, find_model, parse_card
from acutance.models.onnx_header import OnnxHeader, read_onnx_header
from acutance.upscaling.engine import PLAIN, EngineFacts, How, Precision, told_apart
from acutance.upscaling.foreign_onnx import check_ports, probed_card

ENGINE = EngineFacts(
    package="onnxruntime",
    extra="train",
    reads=(".onnx",),
    tolerance=1e-5,
    start_s=0.1,
)
_ENDLESS = {"Loop", "Scan"}  # a file can make them run for ever, and no network needs them


def load(path: Path, how: How = PLAIN) -> "OnnxEngine":
    """The network of an .onnx file, ready to be called on arrays.

    Files made elsewhere are tried out to learn what they are; see `foreign_onnx`.
    """
    return OnnxEngine(find_model(path), how)


class OnnxEngine:
    """An ONNX file as a function of arrays."""

    name = "onnx_runtime"

    def __init__(self, path: Path, how: How = PLAIN) -> None:
        header = checked_header(path)
        self._session = _session(path, how)
        port = check_ports(path, [_port(p) for p in self._session.get_inputs()])
        self._input, self._dtype = port.name, port.dtype
        self._output = self._session.get_outputs()[0].name
        text = header.metadata.get(METADATA_KEY)
        self.card: ModelCard = (
            probed_card(path, port, self.__call__) if text is None else parse_card(path, text)
        )
        self.precision: Precision = precision_of(self.card, self._dtype)

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        return self._run([self._output], lr)[0]

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr and log_scale of a network with the head "spread"."""
        sr, log_scale = self._run(["sr", "log_scale"], lr)
        return sr, log_scale

    def _run(self, outputs: list[str], lr: np.ndarray) -> list[np.ndarray]:
        given = {self._input: np.ascontiguousarray(lr, dtype=self._dtype)}
        with told_apart(self.name):
            made = self._session.run(outputs, given)
        return [np.asarray(array, dtype=np.float32) for array in made]


def checked_header(path: Path) -> OnnxHeader:
    """What the file says of itself; files that reach outside or may never end are refused."""
    try:
        header = read_onnx_header(path)
    except (ValueError, OSError) as error:
        raise damaged(path, error) from error
    if header.has_outside_data:
        raise InputError(
            f"{path} keeps weights in other files, which are not opened: they may be any file of "
            "this machine. Save the model with its weights inside it."
        )
    endless = sorted(header.operations & _ENDLESS)
    if endless:
        raise InputError(
            f"{path} holds a loop ({endless[0]}), which may never end, and is not run. "
            "Export the network for a fixed number of steps."
        )
    return header


def precision_of(card: ModelCard, dtype: np.dtype) -> Precision:
    """What an ONNX file computes in."""
    if card.scores is not None and "int8" in card.scores:
        return "int8"
    return "f16" if dtype == np.float16 else "f32"


def _session(path: Path, how: How) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingPackageError("onnxruntime", "train", f"Running {path}") from error
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4  # its own report would stand beside our message
    settings.intra_op_num_threads = how.thread_count
    # A plan for each size of band keeps a block for each; without one the peak over bands of
    # three sizes was four fifths, and no slower. The arena stays: without it, three times as much.
    settings.enable_mem_pattern = False
    # waiting threads leave the cores to those that decode and encode
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            path,
            settings,
            providers=["CPUExecutionProvider"],
            enable_fallback=0,  # to the same provider again, with a report on stdout
        )
    except Exception as error:  # its exceptions share no class of their own
        raise damaged(path, error) from error


def _port(given: Any) -> tuple[str, str, list[int | str | None]]:
    return given.name, given.type, list(given.shape)
