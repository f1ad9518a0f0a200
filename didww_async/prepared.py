"""Orders: a collection whose POST is sent once, and can be prepared before it is sent."""

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from didww_async.collection import Creates, Deletes, Reads, Updates
from didww_async.errors import InvalidInput
from didww_async.transport.call import Call, Repeat, Reply, Timeouts

if TYPE_CHECKING:  # chapters of resources load with the first call
    from didww_async.resources import Order
    from didww_async.transport.sender import Sender
    from didww_async.transport.turn import Turn

__all__ = ["Orders", "PreparedOrder"]

O = TypeVar("O", bound="Order")  # noqa: E741 - order
F = TypeVar("F", bound=Mapping[str, Any])
S = TypeVar("S", bound=str)
I = TypeVar("I", bound=str)  # noqa: E741 - include
C = TypeVar("C")
U = TypeVar("U")


class PreparedOrder:
    """An order whose body is written and whose turn to be sent has come; one request at most.

    `began` tells, after a failure or a cancellation, whether a request was started at all.
    """

    def __init__(
        self, sender: "Sender", call: Call, *, read: "Callable[[Call, Reply], Order]"
    ) -> None:
        self._sender = sender
        self._call = call
        self._read = read
        self._turn: Turn | None = None
        self._state: Literal["new", "entered", "done"] = "new"

    @property
    def began(self) -> bool:
        """Whether the exchange was started: before that, surely nothing was sent."""
        return self._turn is not None and self._turn.began is not None

    async def __aenter__(self) -> Self:
        if self._state != "new":
            raise InvalidInput("a prepared order is entered once; prepare another one")
        self._state = "entered"
        self._turn = await self._sender.turn(ordering=True)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._state = "done"
        if self._turn is not None:
            self._turn.end()

    async def send(self) -> "Order":
        """Send the one POST and read its answer; a second call is refused.

        Raises ApiError (UnreadableReply with a 2xx status: surely ordered), NotSent or
        OutcomeUnknown.
        """
        if self._turn is None or self._state != "entered":
            raise InvalidInput("a prepared order is sent once, inside its `async with` block")
        self._state = "done"
        return self._read(self._call, await self._sender.exchange(self._call, self._turn))


class Orders(
    Reads[O, F, S, I], Creates[O, C], Updates[O, U], Deletes[O], Generic[O, F, S, I, C, U]
):
    """Everything; what is created is one request, never repeated, and delete cancels an order."""

    def _repeats(self, method: str) -> Repeat:
        return "never" if method == "POST" else super()._repeats(method)

    def prepare(self, new: C, *, timeouts: Timeouts | None = None) -> PreparedOrder:
        """Split `create` in two, so that a claim can be committed right before the request leaves.

        `async with client.orders.prepare(new) as order:` writes the body and waits for its turn
        (connection slot and rate grant); `await order.send()` then sends at once. Raises what is
        wrong with the input before it waits.
        """
        call = self._write("POST", self._path, body=self._body(new), timeouts=timeouts)
        return PreparedOrder(self._channel.sender, call, read=self._one)
