"""Channel: what every collection of a client speaks through. It loads with the first call."""

import attrs
from cattrs import Converter

from didww_async.resources import Resource, by_type
from didww_async.resources.inputs import check_input
from didww_async.transport.sender import Sender
from didww_async.versions import ApiVersion, aliases, type_aliases
from didww_async.wire.body import request_body
from didww_async.wire.converter import make_converter
from didww_async.wire.linking import Linker

__all__ = ["Channel", "open_channel"]


@attrs.frozen(kw_only=True)
class Channel:
    """One sender and one API version's spelling, with what reads and writes documents."""

    sender: Sender
    linker: Linker
    converter: Converter
    version: ApiVersion

    def body(self, given: object, *, type: str, id: str | None = None) -> bytes:
        """Write the body of a request about a `type`. Raises NotInThisVersion, InvalidInput."""
        check_input(given, type)
        return request_body(
            given,
            converter=self.converter,
            version=self.version,
            id=id,
            codec=self.sender.codec,
        )

    def speaking(self, *, sender: Sender, version: ApiVersion) -> "Channel":
        """The same channel at another version; what it has learnt to read is shared."""
        return attrs.evolve(self, sender=sender, version=version)


def open_channel(*, sender: Sender, version: ApiVersion) -> Channel:
    """Make a channel that speaks `version`."""
    converter = make_converter()
    return Channel(
        sender=sender,
        linker=Linker(converter=converter, classes=_AnySpelling(), aliases=aliases()),
        converter=converter,
        version=version,
    )


class _AnySpelling:
    """Resource classes by type, as any API version spells it."""

    def __init__(self) -> None:
        self._classes = by_type()
        self._ours = type_aliases()

    def get(self, type_: str, /) -> type[Resource] | None:
        return self._classes.get(self._ours.get(type_, type_))
