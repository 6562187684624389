"""`acutance export`: a model for other engines and programs, or weights made elsewhere as ours."""

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--to", metavar="FORM",
              help="onnx, openvino, safetensors, community [default: by the ending]")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="FILE.onnx, FILE.xml or FILE.safetensors [default: beside MODEL]")  # fmt: skip
@click.option("--int8", "pictures", multiple=True, type=click.Path(path_type=Path),
              metavar="PICTURES", help="In 8 bits, calibrated on these photographs.")  # fmt: skip
@click.option("--architecture", help="For weights of unknown layout: NETWORK:PRESET@SCALE.")
@click.option("--scale", type=int, help="A lower level of a network that grows by octaves.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def export(
    model: Path,
    to: str | None,
    output: Path | None,
    pictures: tuple[Path, ...],
    architecture: str | None,
    scale: int | None,
    overwrite: bool,
) -> None:
    """Write MODEL (a run folder, .safetensors or .pth) in another form.

    An ONNX file beside a model lets `upscale` work without torch. OpenVINO's is a pair, .xml and
    .bin. The community's form is what other programs load (networks "compact", "esrgan" and
    "span" on RGB). Each file is compared with the model before it is put in place.

    With --scale the file is of a lower scale: LapSRN and other networks that grow octave by
    octave hold those too, where they were trained for them.

    With --int8 the network computes in 8 bits, and what that costs in dB and gives in speed is
    printed and kept in the file.

    \b
    Example:
        acutance export runs/a --overwrite
        acutance export runs/a --to openvino --int8 photos/
        acutance export runs/lapsrn_x4 --scale 2 -o lapsrn_x2.safetensors
        acutance export 4x_Compact.pth -o compact_x4.safetensors
    """
    from acutance.upscaling.formats import export_model

    done = export_model(
        model,
        to=to,
        output=output,
        architecture=architecture,
        scale=scale,
        pictures=pictures,
        overwrite=overwrite,
    )
    for path in done.paths:
        click.echo(path)
    if done.cost is not None:
        cost = done.cost
        click.echo(
            f"8 bits by {cost.engine}: {cost.loss_db:.3f} dB PSNR lost ({cost.scored} pictures), "
            f"results {cost.apart_db:.1f} dB apart, {cost.speed:.2f} times as fast here",
            err=True,
        )
