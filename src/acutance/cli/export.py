"""`acutance export`: a model for use without torch, or weights made elsewhere as a model."""

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="FILE.onnx or FILE.safetensors [default: MODEL as .onnx]")  # fmt: skip
@click.option("--architecture", help="For weights of unknown layout: NETWORK:PRESET@SCALE.")
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
def export(model: Path, output: Path | None, architecture: str | None, overwrite: bool) -> None:
    """Write MODEL (a run folder, .safetensors or .pth) as ONNX, or as .safetensors.

    An ONNX file beside a model lets `upscale` work without torch. It is compared with the model
    before it is put in place.

    \b
    Example:
        acutance export runs/a --overwrite
        acutance export 4x_Compact.pth -o compact_x4.safetensors
    """
    from acutance.errors import InputError
    from acutance.models.card import find_model
    from acutance.models.checkpoint import load_model, save_model
    from acutance.upscaling.export import export_onnx

    target = output or find_model(model).with_suffix(".onnx")
    writers = {".onnx": export_onnx, ".safetensors": save_model}
    if target.suffix not in writers:
        raise InputError(f"{target} must end in .onnx or .safetensors.")
    if target.exists() and not overwrite:
        raise InputError(
            f"{target} exists already. Use --overwrite to replace it, or give another name."
        )
    network = load_model(model, architecture=architecture)
    writers[target.suffix](network, network.card, target)  # pyright: ignore[reportArgumentType]
    click.echo(target)
