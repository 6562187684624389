"""Open one wrong file after the other, and say of each how it went; run in a process of its own."""

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

LIMIT_S = 5
MEMORY = 512 * 2**20


class TooLong(BaseException):
    """Not an Exception, so that nothing on the way takes it for its own."""


def main() -> None:
    kind, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    run = upscaling(out) if kind == "pictures" else opening()
    for path in sorted(folder.iterdir()):
        print(json.dumps({"file": path.name, **outcome(run, path)}), flush=True)
    print(json.dumps({"peak_mib": peak_mib()}))


def peak_mib() -> int:
    """Of this program alone; what getrusage says counts the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (found,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(found) // 1024


def outcome(run: Callable[[Path], None], path: Path) -> dict[str, Any]:
    from acutance.errors import InputError, RunError

    def stop(*_: object) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(LIMIT_S)
    start = time.perf_counter()
    try:
        run(path)
        said = {"ended": "made"}
    except (InputError, RunError) as error:
        said = {"ended": "refused", "message": str(error)}
    except TooLong:
        said = {"ended": "hung"}
    except BaseException as error:
        said = {"ended": "crashed", "message": f"{type(error).__name__}: {error}"}
    finally:
        signal.alarm(0)
    return {**said, "seconds": round(time.perf_counter() - start, 3)}


def upscaling(out: Path) -> Callable[[Path], None]:
    """As the command does it, by bicubic: what is tried are the readers."""
    from acutance.imaging.animation import read_animation
    from acutance.upscaling.animation import enlarge_animation
    from acutance.upscaling.picture import open_upscaler
    from acutance.upscaling.pipeline import enlarge_file
    from acutance.upscaling.settings import Enlargement, Output, Size
    from acutance.upscaling.strips import silent

    upscaler = open_upscaler("bicubic")
    how = Enlargement(Size(scale=Fraction(2)), memory=MEMORY)
    output = Output(overwrite=True)

    def run(path: Path) -> None:
        if read_animation(path) is not None:
            target = out / f"{path.name}{path.suffix}"
            enlarge_animation(path, target, upscaler, how, output, progress=silent)
        else:
            enlarge_file(path, out / f"{path.name}.png", upscaler, how, output)

    return run


def opening() -> Callable[[Path], None]:
    import torch  # noqa: F401  # before the clock

    from acutance.upscaling.choice import open_engine

    def run(path: Path) -> None:
        engine = "onnx_runtime" if path.suffix == ".onnx" else "pytorch"
        open_engine(path, engine=engine)

    return run


if __name__ == "__main__":
    main()
