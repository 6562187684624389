"""What executes a network, by name; nothing is imported before an engine is used."""

from acutance.catalog import Catalog

ENGINES = Catalog(
    "engine",
    {
        "onnx_runtime": "acutance.upscaling.onnx_runtime:load",
        "openvino": "acutance.upscaling.openvino_runtime:load",
        "pytorch": "acutance.upscaling.pytorch:load",
    },
    "acutance.engines",
)
