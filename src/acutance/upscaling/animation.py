"""An animation file into a larger one, frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from acutance.errors import InputError
from acutance.imaging.animation import read_animation
from acutance.imaging.animation_writing import write_animation
from acutance.imaging.metadata import prepared
from acutance.imaging.picture import Picture
from acutance.storage import write_atomically
from acutance.upscaling.enlarging import enlarge_picture
from acutance.upscaling.pipeline import Enlarged
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.streams import Watch
from acutance.upscaling.task import Upscaler


def enlarge_animation(
    source: Path,
    target: Path,
    upscaler: Upscaler,
    how: Enlargement,
    output: Output,
    *,
    progress: Callable[[float], None],
) -> Enlarged:
    """Enlarge a GIF, WebP or animated PNG into `target`, whole or not at all.

    Each frame is enlarged as it is seen; durations and loops stay. One frame is in memory at a
    time. Raises InputError for what cannot be read or held by the format of the target.
    """
    start = perf_counter()
    if target.exists() and not output.overwrite:
        raise InputError(
            f"{target} exists already. Use --overwrite to replace it, or give another name."
        )
    animation = read_animation(source)
    if animation is None:
        raise InputError(f"{source} holds one picture only. Upscale it alone.")
    decode, network = Watch(), Watch()
    size: list[tuple[int, int]] = []

    def enlarged() -> Iterator[Picture]:
        count = len(animation.durations)
        frames = iter(animation.frames)
        for number in range(count):
            with decode:
                frame = next(frames)
            with network:
                larger = enlarge_picture(frame, upscaler, how)
            size[:] = [(larger.width, larger.height)]
            progress((number + 1) / count)
            yield with_metadata(larger, frame, upscaler, output)

    def fill(temporary: Path) -> None:
        write_animation(
            temporary,
            enlarged(),
            durations=animation.durations,
            loop=animation.loop,
            format=output.format,
            quality=output.quality,
        )

    write_atomically(target, fill)
    total = perf_counter() - start
    seconds = {"decode": decode.seconds, "network": network.seconds}
    seconds |= {"encode": total - sum(seconds.values()), "total": total}
    return Enlarged(*size[0], seconds, engine=upscaler.engine_name, notes=animation.notes)


def with_metadata(larger: Picture, frame: Picture, upscaler: Upscaler, output: Output) -> Picture:
    """The result with what stands beside the pixels of `frame`, as the output is to keep it."""
    metadata = prepared(
        frame.metadata,
        policy=output.metadata,
        width=larger.width,
        height=larger.height,
        made_by=upscaler.tag(frame.width, larger.width) if output.tag else None,
    )
    return replace(larger, metadata=metadata)
