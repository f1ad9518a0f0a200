"""What the library warns of while a command runs, said on its screen."""

import contextlib
import logging
from collections.abc import Iterator

from flows.cli.screen import Screen

__all__ = ["warnings_on"]

LOGGER = "didww_async"  # `flows` logs below it


@contextlib.contextmanager
def warnings_on(screen: Screen) -> Iterator[None]:
    """While the block runs, say warnings and errors of the library: hidden secrets, no traces."""
    handler, logger = _Said(screen), logging.getLogger(LOGGER)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _Said(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen
        self._last: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.exc_info is not None and (error := record.exc_info[1]) is not None:
            said += f": {type(error).__name__}: {error}"
        if said != self._last:  # what is tried again warns again
            self._last = said
            self._screen.say(f"warning: {said}", "warning")
