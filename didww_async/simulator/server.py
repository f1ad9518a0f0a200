"""The Simulator: a DIDWW API on this machine."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import attrs
from aiohttp import web

from didww_async.simulator.application import Application, Incoming, Reply
from didww_async.simulator.atlas import Atlas, shipped_atlas
from didww_async.simulator.callbacks import CallbackFault, CallbackSender, SentCallback
from didww_async.simulator.coverage import Coverage
from didww_async.simulator.delivery import deliver, listed_late
from didww_async.simulator.exporting import Export
from didww_async.simulator.faults import DropBefore, Fault, FaultBoard, Injection
from didww_async.simulator.ordering import cancel, complete
from didww_async.simulator.query import decode_pairs
from didww_async.simulator.received import ReceivedRequest
from didww_async.simulator.records import Did, Order, Reservation
from didww_async.simulator.settings import Settings
from didww_async.simulator.steering import Exports, Files, Numbers, Verification, Verifications
from didww_async.simulator.timers import Timers
from didww_async.simulator.world import World

_HOST = "127.0.0.1"
_ROOT = "/v3"
_TOKENS = "/token"
_MOST_BYTES = 64 * 1024 * 1024
"""Of a request's body: uploaded files are large."""
_GRACE = 0.1
"""Seconds that requests in progress get when the server stops."""


@attrs.define(kw_only=True, eq=False, slots=False, repr=False)
class Simulator(Settings):
    """A DIDWW API on a free port of this machine, for tests and for trying things out.

        async with Simulator() as simulator:
            simulator.base_url, simulator.api_key

    The options are the fields of `Settings`; they may be changed while it runs.
    """

    port: int = 0
    """The port to listen on; 0 chooses a free one."""
    coverage: Coverage | None = None
    """Another world than the one that ships with the package."""

    _atlas: Atlas = attrs.field(init=False)
    _world: World = attrs.field(init=False)
    _application: Application = attrs.field(init=False)
    _requests: list[ReceivedRequest] = attrs.field(init=False, factory=list)
    _faults: FaultBoard = attrs.field(init=False, factory=FaultBoard)
    _sender: CallbackSender = attrs.field(init=False)
    _timers: Timers = attrs.field(init=False, factory=Timers)
    verifications: Verifications = attrs.field(init=False)
    """Verifications, to approve or reject them by hand."""
    exports: Exports = attrs.field(init=False)
    """CDR exports, to complete them by hand."""
    files: Files = attrs.field(init=False)
    """Uploaded files, and the keys they are encrypted for."""
    numbers: Numbers = attrs.field(init=False)
    """Numbers, to renew, block or remove them as the platform does."""
    _runner: web.ServerRunner | None = attrs.field(init=False, default=None)
    _base_url: str | None = attrs.field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self._atlas = shipped_atlas() if self.coverage is None else Atlas.of(self.coverage)
        self._sender = CallbackSender(self)
        self.reset()

    def __repr__(self) -> str:
        where = self._base_url or "not started"
        return f"Simulator({where}, {len(self._world.orders)} orders)"

    # Running

    async def start(self) -> None:
        """Listen. The state is what it was when the simulator was made, or last stopped."""
        if self._runner is not None:
            raise RuntimeError("the simulator is running already")
        runner = web.ServerRunner(
            web.Server(self._handle, request_factory=_request, access_log=None),
            shutdown_timeout=_GRACE,
        )
        await runner.setup()
        await web.TCPSite(runner, _HOST, self.port).start()
        self._sender.open()
        self._runner = runner
        self._base_url = f"http://{_HOST}:{runner.addresses[0][1]}{_ROOT}"
        self._application = Application(self._world, base_url=self._base_url)

    async def stop(self) -> None:
        """Close all connections. Pending orders stay pending; callbacks are not retried."""
        self._timers.forget_all()
        await self._sender.close()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def base_url(self) -> str:
        if self._base_url is None:
            raise RuntimeError("the simulator has no URL before it was started")
        return self._base_url

    @property
    def token_url(self) -> str:
        """Where bearer tokens for version 2026-11-19 are given."""
        return f"{self.base_url.removesuffix(_ROOT)}{_TOKENS}"

    def reset(self) -> None:
        """Go back to the beginning: stock, prices, money, orders, requests, faults, rate limit."""
        self._timers.forget_all()
        self._sender.reset()
        self._world = World(self._atlas, self)
        self._world.placed = self._on_placed
        self._world.completed = self._world.canceled = self._world.settled = self._sender.tell
        self._world.submitted = self._on_submitted
        self.verifications = Verifications(self._world, self._timers)
        self.exports = Exports(self._world, self._timers)
        self.files = Files(self._world)
        self.numbers = Numbers(self._world)
        self._application = Application(self._world, base_url=self._base_url or "")
        self._requests = []
        self._faults.clear()

    # Looking and steering

    @property
    def orders(self) -> list[Order]:
        """All orders, the oldest first."""
        return list(self._world.orders.values())

    def order(self, order_id: str) -> Order:
        """One order as it is now; KeyError when there is none."""
        return self._world.orders[order_id]

    @property
    def dids(self) -> list[Did]:
        """The numbers of completed orders."""
        return list(self._world.dids.values())

    @property
    def reservations(self) -> list[Reservation]:
        return self._world.live_reservations()

    @property
    def requests(self) -> list[ReceivedRequest]:
        """Every request that was read, also the ones that were refused."""
        return list(self._requests)

    @property
    def callbacks(self) -> list[SentCallback]:
        """Every attempt to deliver a callback, and the callbacks that were not sent."""
        return self._sender.sent

    @property
    def balance(self) -> Decimal:
        return self._world.balance

    @balance.setter
    def balance(self, amount: Decimal) -> None:
        self._world.balance = Decimal(amount)

    def complete(self, order_id: str) -> Order:
        """Complete a pending order now, a back-ordered one too."""
        self._timers.forget(order_id)
        return complete(self._world, order_id)

    def cancel(self, order_id: str) -> Order:
        """Cancel a pending order, as DIDWW may do: the money and the stock come back."""
        self._timers.forget(order_id)
        order = self._world.orders[order_id]
        if order.status != "pending":
            raise ValueError(f"order {order.reference} is {order.status}")
        cancel(self._world, order)
        return self._world.orders[order_id]

    def stock(self, group_id: str, prefix_id: str | None = None) -> int:
        """How many numbers a group, or a NANPA prefix of it, has in stock."""
        return self._world.stock.count(group_id, prefix_id)

    def set_stock(self, *, group_id: str, count: int, prefix_id: str | None = None) -> None:
        """Change what is in stock; a group's count is spread over its prefixes."""
        keys = list(self._world.stock.counts(group_id)) or [""]
        if prefix_id is not None and prefix_id not in keys:
            raise ValueError(f"group {group_id} has no prefix {prefix_id}")
        if prefix_id is not None:
            keys = [prefix_id]
        share, rest = divmod(count, len(keys))
        for position, key in enumerate(keys):
            self._world.stock.set_count(group_id, key, share + (position < rest))

    def set_price(
        self,
        sku_id: str,
        *,
        setup_price: Decimal | str | None = None,
        monthly_price: Decimal | str | None = None,
    ) -> None:
        """Change prices of a SKU; a price that is not given stays."""
        self._world.set_price(
            sku_id,
            setup_price=None if setup_price is None else Decimal(setup_price),
            monthly_price=None if monthly_price is None else Decimal(monthly_price),
        )

    def inject(
        self,
        fault: Fault,
        *,
        method: str | None = None,
        path: str | None = None,
        times: int | None = 1,
        after: int = 0,
    ) -> Injection:
        """Let the next `times` matching requests (None: all) meet a fault, sparing `after` first.

        `path` is the part below /v3 and must fit exactly, or up to a final "*": "/orders/*".
        """
        return self._faults.inject(fault, method=method, path=path, times=times, after=after)

    def inject_randomly(
        self,
        faults: Sequence[Fault] | Mapping[Fault, float],
        *,
        rate: float = 0.1,
        seed: int = 0,
        method: str | None = None,
    ) -> None:
        """Let a share of all requests meet one of the faults, which may have weights."""
        self._faults.inject_randomly(faults, rate=rate, seed=seed, method=method)

    def inject_callback(self, fault: CallbackFault, *, times: int | None = 1) -> None:
        """Let the next `times` callbacks (None: all until `reset`) meet a fault."""
        self._sender.plan(fault, times=times)

    def revoke_tokens(self) -> None:
        """Make every bearer token that was given so far worthless."""
        self._application.tokens.revoke()

    def clear_faults(self) -> None:
        """Take back all faults that were injected."""
        self._faults.clear()

    # What happens in time

    def _on_placed(self, order: Order) -> None:
        if not order.back_ordered:
            self._timers.start(order.id, self.completes_after, lambda: self._complete_due(order.id))

    def _complete_due(self, order_id: str) -> None:
        if self._world.orders[order_id].status == "pending":
            self.complete(order_id)

    def _on_submitted(self, record: Verification | Export) -> None:
        """Decide a verification, or make an export, later."""
        is_export = isinstance(record, Export)
        after = self.exported_after if is_export else self.verified_after
        act = self.exports.complete if is_export else self.verifications.approve
        self._timers.start(record.id, after, lambda: act(record.id))

    # Requests

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        arrived = time.monotonic()
        raw_path, _, query_string = request.raw_path.partition("?")
        path = raw_path.removeprefix(_ROOT)
        fault = self._faults.fault_for(request.method, path)
        body = b"" if isinstance(fault, DropBefore) else await request.read()
        # A reset starts another log; a request that is still in progress belongs to the old one.
        log, position = self._requests, len(self._requests)
        received = ReceivedRequest(
            time=arrived,
            method=request.method,
            path=path,
            raw_path=request.raw_path,
            query_string=query_string,
            query=decode_pairs(query_string),
            headers=request.headers,
            body=body,
        )
        log.append(received)
        if self.latency or self.jitter:
            await asyncio.sleep(self.latency + self.jitter * self._world.chance.random())
        delivered = await deliver(request, fault, lambda: self._act(received, raw_path, fault))
        log[position] = attrs.evolve(received, status=delivered.status, acted=delivered.acted)
        return delivered.response

    def _act(self, received: ReceivedRequest, raw_path: str, fault: Fault | None) -> Reply:
        usual = self.orders_visible_after
        late = listed_late(fault)
        if late is not None:
            self.orders_visible_after = late
        incoming = Incoming(
            method=received.method,
            # What is not below /v3 has no operation.
            path=received.path if raw_path != received.path else "",
            query_string=received.query_string,
            headers=received.headers,
            body=received.body,
        )
        if raw_path == _TOKENS:
            return self._application.grant_token(incoming)
        try:
            return self._application.respond(incoming)
        finally:
            self.orders_visible_after = usual


def _request(
    message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]"
) -> web.BaseRequest:
    """A request as `web.Server` makes it, with a larger body."""
    return web.BaseRequest(
        message,
        payload,
        protocol,
        writer,
        task,
        task.get_loop(),
        client_max_size=_MOST_BYTES,
    )


async def serve(
    *,
    port: int = 0,
    api_key: str = "simulator",
    rate_limit: int | None = 20,
    completes_after: float | None = 1.0,
    balance: Decimal = Decimal(1000),
    started: Callable[[Simulator], None] | None = None,
) -> None:
    """Run a simulator until the task is cancelled; `started` is told when it listens."""
    simulator = Simulator(
        port=port,
        api_key=api_key,
        rate_limit=rate_limit,
        completes_after=completes_after,
        balance=balance,
    )
    async with simulator:
        if started is not None:
            started(simulator)
        await asyncio.Event().wait()
