"""What the library warns of while a command runs: on its screen, once, without the key."""

import io
import logging

from flows.cli.screen import Screen
from flows.cli.warned import warnings_on


def test_warnings_are_said_once_and_without_secrets() -> None:
    stderr = io.StringIO()
    log = logging.getLogger("didww_async.flows")
    with warnings_on(Screen(stderr=stderr, secrets=["s3cret"])):
        for why in ("the journal is away", "the journal is away", "s3cret is no key"):
            log.warning("purchase %s: %s", "shop-7", why)
        log.info("nothing to worry about")
        log.warning("the sweep failed", exc_info=OSError("no disk"))
    log.warning("nobody listens any more")
    assert (
        "warning: purchase shop-7: the journal is away\n"
        "warning: purchase shop-7: (hidden) is no key\n"
        "warning: the sweep failed: OSError: no disk\n"
    ) == stderr.getvalue()
