"""An animation file into a larger one, frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from acutance.errors import InputError
from acutance.imaging.animation import read_animation
from acutance.imaging.animation_writing import storable_animation, write_animation
from acutance.imaging.formats import U8
from acutance.imaging.picture import Facts, Picture
from acutance.storage import check_free, write_atomically
from acutance.upscaling.enlarging import alike
from acutance.upscaling.memory import planned
from acutance.upscaling.pipeline import Enlarged, metadata_of_result
from acutance.upscaling.settings import Enlargement, Output
from acutance.upscaling.streams import Watch
from acutance.upscaling.task import Upscaler, understood

_FRAMES = 4  # copies of a frame that are alive: the canvas, what is read, made and being encoded


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
    time. Raises InputError for what cannot be read, held by the format of the target or kept
    within the memory.
    """
    start = perf_counter()
    check_free(target, overwrite=output.overwrite)
    animation = read_animation(source)
    if animation is None:
        raise InputError(f"{source} holds one picture only. Upscale it alone.")
    seen = Facts(animation.width, animation.height, 3, U8, True)
    height, width = understood(seen, upscaler, how).size
    _, lost = storable_animation(target, (width, height), animation.metadata, format=output.format)
    frame_bytes = 4 * _FRAMES * (seen.width * seen.height + width * height)
    planned(seen, upscaler, how, held=frame_bytes)
    decode, network, enlarge = Watch(), Watch(), alike(upscaler, how)

    def enlarged() -> Iterator[Picture]:
        count = len(animation.durations)
        frames = iter(animation.frames)
        for number in range(count):
            with decode:
                frame = next(frames)
            with network:
                larger = enlarge(frame)
            progress((number + 1) / count)
            metadata = metadata_of_result(frame, (width, height), upscaler, output)
            yield replace(larger, metadata=metadata)

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
    return Enlarged(
        width,
        height,
        seconds,
        engine=upscaler.engine_name,
        notes=(*animation.notes, *lost),
        frames=len(animation.durations),
    )
