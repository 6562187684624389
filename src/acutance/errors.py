"""What a user can get wrong, and what a run can die of. Only `cli` catches these."""


class InputError(ValueError):
    """The input is wrong. The message says what, where, and what to do. Exit code 2."""


class MissingPackageError(InputError):
    """An optional package is not installed. The message names the extra that brings it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed. "
            f"Install it by: pip install 'acutance[{extra}]'"
        )


class RunError(RuntimeError):
    """The input was right and the work failed all the same. Exit code 1."""


def pointed(text: str, column: int, message: str) -> str:
    """`message`, below it `text`, and a caret below the character that stands at `column`."""
    return f"{message}\n  {text}\n  {' ' * min(column, len(text))}^"
