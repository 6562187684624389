"""The engine without torch: a small picture is done before torch would be imported."""

from pathlib import Path

import numpy as np

from acutance.errors import MissingPackageError
from acutance.models.card import METADATA_KEY, ModelCard, damaged, find_model, parse_card
from acutance.upscaling.engine import EngineFacts

ENGINE = EngineFacts(
    package="onnxruntime",
    extra="train",
    reads=(".onnx",),
    tolerance=1e-5,
)


def load(path: Path) -> "OnnxEngine":
    """The network of an .onnx file, ready to be called on arrays."""
    return OnnxEngine(find_model(path))


class OnnxEngine:
    """An ONNX file made by `export_onnx` as a function of arrays."""

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise MissingPackageError("onnxruntime", "train", f"Running {path}") from error
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4  # its own report would stand beside our message
        try:
            self._session = onnxruntime.InferenceSession(
                path, settings, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no class of their own
            raise damaged(path, error) from error
        metadata = self._session.get_modelmeta().custom_metadata_map
        self.card: ModelCard = parse_card(path, metadata.get(METADATA_KEY))
        self._input = self._session.get_inputs()[0].name

    def __call__(self, lr: np.ndarray, /) -> np.ndarray:
        """float32 (1, c, h, w) in [0, 1] -> float32 (1, c, scale h, scale w)."""
        sr = self._session.run(None, {self._input: np.ascontiguousarray(lr)})[0]
        return np.asarray(sr)

    def with_spread(self, lr: np.ndarray, /) -> tuple[np.ndarray, np.ndarray]:
        """sr and log_scale of a network with the head "spread"."""
        given = {self._input: np.ascontiguousarray(lr)}
        sr, log_scale = self._session.run(["sr", "log_scale"], given)
        return np.asarray(sr), np.asarray(log_scale)
