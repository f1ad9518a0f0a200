"""A shop on FastAPI: pip install fastapi uvicorn, then uvicorn fastapi_app:app

One client and one journal for the application, a sweeper beside it, and DIDWW's callbacks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from starlette.routing import Route

from didww_async import Client, DidwwError
from didww_async.callbacks import CallbackReceiver
from didww_async.callbacks.asgi import asgi_app
from flows import (
    BuyDidFlow,
    Completed,
    OrderRules,
    PurchaseRequest,
    SqliteJournal,
    buy,
    order_callbacks,
    run_sweeper,
)
from flows.errors import FlowError

SHOP = "https://shop.example"
RULES = OrderRules(callback_url=f"{SHOP}/didww")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with Client.from_env() as client, SqliteJournal("purchases.db") as journal:
        app.state.client, app.state.journal = client, journal
        receiver = CallbackReceiver(
            secret="the account's callback secret",
            handle=order_callbacks(client, journal, rules=RULES),
            public_url=SHOP,
        )
        # Not mount("/didww"), which would redirect DIDWW to "/didww/".
        app.router.routes.append(Route("/didww", asgi_app(receiver)))
        sweeper = asyncio.create_task(run_sweeper(client, journal, every=60, rules=RULES))
        yield
        sweeper.cancel()
        with suppress(asyncio.CancelledError):
            await sweeper
        await receiver.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/countries")
async def countries(request: Request) -> list[str]:
    flow = BuyDidFlow(request.app.state.client)
    return [country.name for country in await flow.countries()]


@app.put("/purchases/{reference}")  # PUT: the browser may send it again
async def purchase(reference: str, city: str, request: Request) -> dict[str, Any]:
    wanted = PurchaseRequest(country="GB", city=city, channels=2, reference=reference)
    state = request.app.state
    try:
        result = await buy(state.client, wanted, journal=state.journal, rules=RULES, timeout=20)
    except FlowError as error:  # no match, sold out, refused, unknown: it says which
        raise HTTPException(409, str(error)) from error
    except DidwwError as error:
        raise HTTPException(503, "DIDWW can't be reached: please try again.") from error
    numbers = result.numbers if isinstance(result, Completed) else ()
    return {"reference": reference, "numbers": numbers}
