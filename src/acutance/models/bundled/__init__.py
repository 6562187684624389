"""The models that the package brings, by name: each with its ONNX twin, so that none needs torch.

`python benchmarks/bundled_model.py` makes them anew.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
DEFAULT = "nano-x2"  # what upscaling takes where no model is named


def bundled_models() -> dict[str, Path]:
    """The model files by name, such as "nano-x2"."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.safetensors"))}
