"""`acutance upscale`: make pictures larger."""

from pathlib import Path

import click


@click.command()
@click.argument("inputs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-m", "--model", required=True,
              help="Run folder, model file, or 'bicubic' (which needs --scale).")  # fmt: skip
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="File for one picture, else a folder: a.jpg becomes a_x2.png.")  # fmt: skip
@click.option("--scale", type=click.IntRange(1, 16), help="For 'bicubic'; a model has its own.")
@click.option("--engine", default="auto", show_default=True,
              help="What runs the network: auto, pytorch or onnx_runtime.")  # fmt: skip
@click.option("--uncertainty", is_flag=True,
              help="Also write NAME.uncertainty.png: the model's own sigma.")  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of paths.")
def upscale(
    inputs: tuple[Path, ...],
    model: str,
    output: Path,
    scale: int | None,
    engine: str,
    uncertainty: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Enlarge INPUTS, pictures or folders of them.

    Prints the path of each file written, one a line. A picture that fails is reported with its
    reason and the others are still done; the exit code is then 1.

    \b
    Example:
        acutance upscale photo.jpg -o photo_large.png --model runs/a
        acutance upscale holiday/ -o holiday_large --model runs/a
        acutance upscale photo.jpg -o photo_large.png --model bicubic --scale 2
    """
    from acutance.imaging.files import picture_paths
    from acutance.upscaling.batch import first_pixels, plan_jobs, upscale_files
    from acutance.upscaling.picture import open_upscaler

    pixels = first_pixels(picture_paths(inputs))
    upscaler = open_upscaler(model, engine=engine, scale=scale, pixels=pixels)
    jobs = plan_jobs(inputs, output, scale=upscaler.scale)
    results = []
    made = upscale_files(jobs, upscaler, overwrite=overwrite, uncertainty=uncertainty)
    for number, result in enumerate(made, start=1):
        results.append(result)
        if result.error is not None and len(jobs) == 1:
            raise result.error
        _tell(number, len(jobs), result, as_json=as_json)
    failed = [result for result in results if result.error is not None]
    if as_json:
        click.echo(_as_json(results, model=model, scale=upscaler.scale))
    if failed:
        click.echo(f"acutance: {len(failed)} of {len(jobs)} pictures failed.", err=True)
        raise click.exceptions.Exit(1)


def _tell(number: int, count: int, result, *, as_json: bool) -> None:
    """The path on stdout, how it went on stderr."""
    begin = f"[{number}/{count}] {result.job.source}: "
    if result.error is not None:
        click.echo(f"{begin}failed: {result.error}", err=True)
        return
    click.echo(f"{begin}{result.width}x{result.height} in {result.seconds:.1f} s", err=True)
    if not as_json:
        click.echo(result.job.target)
        if result.uncertainty is not None:
            click.echo(result.uncertainty)


def _as_json(results, *, model: str, scale: int) -> str:
    import json

    written = [
        {
            "source": str(result.job.source),
            "output": str(result.job.target),
            "width": result.width,
            "height": result.height,
            "seconds": round(result.seconds, 3),
            **({"uncertainty": str(result.uncertainty)} if result.uncertainty else {}),
        }
        for result in results
        if result.error is None
    ]
    failed = [
        {"source": str(result.job.source), "reason": str(result.error)}
        for result in results
        if result.error is not None
    ]
    return json.dumps(
        {"model": model, "scale": scale, "written": written, "failed": failed}, indent=2
    )
