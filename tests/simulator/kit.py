"""What the simulator's tests share: a small world, and a client that speaks to it over HTTP."""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import aiohttp
import attrs

from didww_async.simulator import Simulator
from didww_async.simulator.coverage import (
    AreaRow,
    CityRow,
    CountryRow,
    Coverage,
    GroupRow,
    NumberTypeRow,
    PrefixRow,
    RegionRow,
    SkuRow,
)

OLD, NEW = "2022-05-10", "2026-04-16"
MEDIA_TYPE = "application/vnd.api+json"

US = "1f6fc2bd-f081-4202-9b1a-d9cb88d942b9"
CANADA = "24eb6e85-f628-4765-bbb2-420e48de76f2"
BRITAIN = "00000000-0000-4000-8000-000000000044"
MONACO = "00000000-0000-4000-8000-000000000377"
NEW_YORK_STATE = "ab7e83bc-814b-4cfa-a14c-d2df3de2a545"
ONTARIO = "00000000-0000-4000-8000-000000000101"
ENGLAND = "00000000-0000-4000-8000-000000000102"
NEW_YORK = "368bf92f-c36e-473f-96fc-d53ed1b4028b"
LONDON = "e696dec7-9c65-4e99-aab7-55a1f98154f0"
TORONTO = "00000000-0000-4000-8000-000000000201"
LONDON_ONTARIO = "00000000-0000-4000-8000-000000000202"
GREATER_LONDON = "00000000-0000-4000-8000-000000000301"
LOCAL = "00000000-0000-4000-8000-000000000401"
MOBILE = "00000000-0000-4000-8000-000000000402"
P212_111 = "48b91ed5-13db-4920-a4cb-d0260d692053"
P212_472 = "00000000-0000-4000-8000-000000000501"
P416_203 = "00000000-0000-4000-8000-000000000502"
G_NEW_YORK = "ef7c258f-19b9-478b-ab68-d6b30d00c9f9"
G_SELECT = "916c8f4d-2108-4d79-853b-7c545ee83f8c"
G_LONDON = "fc271bcc-1f9c-4c19-8174-28b7c55a208a"
G_MOBILE = "00000000-0000-4000-8000-000000000601"
G_TORONTO = "00000000-0000-4000-8000-000000000602"
SKU_0 = "a7ecfee0-693e-459c-8eff-244121847ac2"
SKU_2 = "e2406add-fd8a-475c-b959-81e9619d7a4b"
SKU_SELECT = "af589936-3e8d-498c-b127-8054ef026dfa"
SKU_LONDON = "0ba87a94-7143-48cb-a0f6-d50a6a0c8cfa"
SKU_MOBILE = "00000000-0000-4000-8000-000000000701"
SKU_TORONTO = "00000000-0000-4000-8000-000000000702"
EXAMPLE_DID = "75a21935-acfd-4160-8485-9fb7d049f144"
NOBODY = "00000000-0000-4000-8000-00000000dead"
SMS_HINT = (
    '\nTo enable SMS features on US numbers, please create an <a href="https://my.didww.com'
    '/#/sms_campaigns/new?activeStep=campaignDetails" target="_blank">SMS Campaign</a> after'
    " completing your order.\n"
)


def _sku(sku_id: str, setup: str, monthly: str, channels: int = 0) -> SkuRow:
    return SkuRow(sku_id, Decimal(setup), Decimal(monthly), channels)


def _group(group_id: str, prefix: str, area_name: str, country_id: str, **more: Any) -> GroupRow:
    usual = {
        "region_id": None,
        "city_id": None,
        "number_type_id": LOCAL,
        "features": ("voice_in",),
        "is_metered": False,
        "allow_additional_channels": True,
        "service_restrictions": None,
        "needs_registration": False,
        "available_dids_enabled": True,
    }
    return GroupRow(
        id=group_id, prefix=prefix, area_name=area_name, country_id=country_id, **usual | more
    )


def small_world() -> Coverage:
    """A few rows with the documentation's ids, prices and counts."""
    new_york = {"region_id": NEW_YORK_STATE, "city_id": NEW_YORK}
    return Coverage(
        countries=(
            CountryRow(US, "United States", "1", "US"),
            CountryRow(CANADA, "Canada", "1", "CA"),
            CountryRow(BRITAIN, "United Kingdom", "44", "GB"),
            CountryRow(MONACO, "Monaco", None, "MC"),
        ),
        regions=(
            RegionRow(NEW_YORK_STATE, "New York", "US-NY", US),
            RegionRow(ONTARIO, "Ontario", "CA-ON", CANADA),
            RegionRow(ENGLAND, "England", None, BRITAIN),
        ),
        areas=(AreaRow(GREATER_LONDON, "Greater London", BRITAIN),),
        cities=(
            CityRow(TORONTO, "Toronto", CANADA, ONTARIO, None),
            CityRow(LONDON_ONTARIO, "London", CANADA, ONTARIO, None),
            CityRow(LONDON, "London", BRITAIN, None, GREATER_LONDON),
            CityRow(NEW_YORK, "New York", US, NEW_YORK_STATE, None),
        ),
        number_types=(NumberTypeRow(LOCAL, "Local"), NumberTypeRow(MOBILE, "Mobile")),
        prefixes=(
            PrefixRow(P212_472, "212", "472", US, NEW_YORK_STATE),
            PrefixRow(P212_111, "212", "111", US, NEW_YORK_STATE),
            PrefixRow(P416_203, "416", "203", CANADA, None),
        ),
        groups=(
            _group(
                G_NEW_YORK,
                "212",
                "New York",
                US,
                **new_york,
                service_restrictions=SMS_HINT,
                skus=(_sku(SKU_0, "4.0", "4.00"), _sku(SKU_2, "4.0", "4.0", 2)),
                stock={P212_111: 120, P212_472: 500},
            ),
            _group(
                G_SELECT,
                "212",
                "New York",
                US,
                **new_york,
                features=("voice_in", "t38"),
                skus=(
                    _sku(SKU_SELECT, "0.0", "0.09"),
                    _sku("5dec9d3e-f25a-4ac3-a9b0-efcdd9ec744b", "0.0", "0.19", 2),
                    _sku("e48e981f-ab6d-48a6-aaf6-e75539fc1011", "4.42", "4.42", 5),
                ),
                stock={P212_472: 8},
            ),
            _group(
                G_LONDON,
                "20",
                "London",
                BRITAIN,
                city_id=LONDON,
                features=("voice_in", "voice_out", "t38"),
                skus=(
                    _sku(SKU_LONDON, "0.0", "0.3"),
                    _sku("1a86de53-3131-491f-9e4b-3392da45d441", "0.0", "0.8", 2),
                ),
                stock={"": 932},
            ),
            _group(
                G_MOBILE,
                "7400",
                "Mobile",
                BRITAIN,
                number_type_id=MOBILE,
                features=("voice_in", "sms_in", "sms_out", "p2p"),
                is_metered=True,
                allow_additional_channels=False,
                needs_registration=True,
                available_dids_enabled=False,
                skus=(_sku(SKU_MOBILE, "1.00", "2.50"),),
                stock={"": 10},
            ),
            _group(
                G_TORONTO,
                "416",
                "Toronto",
                CANADA,
                region_id=ONTARIO,
                city_id=TORONTO,
                skus=(_sku(SKU_TORONTO, "0.0", "1.0"),),
                stock={P416_203: 0},
            ),
        ),
    )


@attrs.frozen
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.json["data"]]

    @property
    def error(self) -> dict[str, Any]:
        [error] = self.json["errors"]
        return error

    @property
    def pointers(self) -> list[str]:
        return [error["source"]["pointer"] for error in self.json["errors"]]


@attrs.frozen
class Api:
    sim: Simulator
    session: aiohttp.ClientSession
    version: str = NEW

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str | None] | None = None,
        data: bytes | None = None,
    ) -> Answer:
        sent = {
            "Api-Key": self.sim.api_key,
            "Accept": MEDIA_TYPE,
            "Content-Type": MEDIA_TYPE,
            "X-DIDWW-API-Version": self.version,
            **(headers or {}),
        }
        async with self.session.request(
            method,
            self.sim.base_url + path,
            json=json,
            data=data,
            headers={name: text for name, text in sent.items() if text is not None},
            skip_auto_headers=("Accept", "Content-Type"),
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, status: int = 200) -> Answer:
        answer = await self.call("GET", path)
        assert answer.status == status, answer.body
        return answer

    async def order(self, *items: dict[str, Any], status: int = 201, **attributes: Any) -> Answer:
        answer = await self.call("POST", "/orders", json=order_body(*items, **attributes))
        assert answer.status == status, answer.body
        return answer

    def speaking(self, version: str) -> "Api":
        return attrs.evolve(self, version=version)


def order_body(*items: dict[str, Any], **attributes: Any) -> dict[str, Any]:
    wanted = [{"type": "did_order_items", "attributes": item} for item in items]
    return {"data": {"type": "orders", "attributes": {"items": wanted, **attributes}}}


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[Api]:
    """A simulator of the small world, without rate limit unless asked for, and a client."""
    options = {"rate_limit": None, "coverage": small_world(), **options}
    async with Simulator(**options) as sim, aiohttp.ClientSession() as session:
        yield Api(sim, session)
