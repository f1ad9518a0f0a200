"""Turn: all that a request must have before it can leave."""

from collections.abc import Sequence

from didww_async.transport.headers import RequestHeaders
from didww_async.transport.limiter import Granted
from didww_async.transport.places import Places

__all__ = ["Turn"]


class Turn:
    """Place, authentication and rate grant: what is sent on it does not wait any more.

    `waited`: seconds it took to get them; `began`: when an exchange was started on it, if one was.
    """

    __slots__ = ("_places", "began", "grant", "headers", "waited")

    def __init__(
        self, grant: Granted, headers: RequestHeaders, places: Sequence[Places], waited: float
    ) -> None:
        self.grant = grant
        self.headers = headers
        self.waited = waited
        self.began: float | None = None
        self._places = places

    def end(self) -> None:
        """Free the places; a grant that was not used is given back."""
        if self.began is None:
            self.grant.give_back()
        for place in self._places:
            place.free()
        self._places = ()
