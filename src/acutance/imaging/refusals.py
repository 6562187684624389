"""What is said of a picture file that cannot be read."""

from pathlib import Path

from acutance.errors import InputError


def damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path} is damaged or cut short ({reason}). Get it again, or remove it.")


def unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path} does not exist. Check the name.")
    return InputError(
        f"{path} cannot be read: {error.strerror}. Check the disk and the file's permissions."
    )


def several_pictures(path: Path, count: int) -> InputError:
    return InputError(
        f"{path} holds {count} pictures (an animation or pages); one is needed. "
        "Save the one you want as a file of its own."
    )
