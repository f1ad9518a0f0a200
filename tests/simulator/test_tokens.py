"""The token service and version 2026-11-19."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from simulator.kit import G_MOBILE, G_NEW_YORK, NEW, OLD, SKU_0, Answer, Api, running

BEARER = "2026-11-19"
ASKED = {"aud": "api.didww.com", "scope": "full", "api_version": BEARER, "expires_in": 900}


async def ask(
    api: Api,
    *,
    method: str = "POST",
    key: str | None = None,
    body: Any = None,
    media_type: str = "application/json",
    **changes: Any,
) -> Answer:
    """Ask the token service; a change to `...` leaves a member out."""
    asked = {name: value for name, value in (ASKED | changes).items() if value is not ...}
    async with api.session.request(
        method,
        api.sim.token_url,
        data=json.dumps(asked) if body is None else body,
        headers={"Api-Key": api.sim.api_key if key is None else key, "Content-Type": media_type},
    ) as response:
        return Answer(response.status, response.headers, await response.read())


def with_token(token: str, **more: str | None) -> dict[str, str | None]:
    return {
        "Api-Key": None,
        "Authorization": f"Bearer {token}",
        "X-DIDWW-API-Version": None,
        **more,
    }


async def token_of(api: Api, **changes: Any) -> str:
    answer = await ask(api, **changes)
    assert answer.status == 200, answer.body
    return str(answer.json["access_token"])


async def test_a_token_for_the_key():
    async with running() as api:
        answer = await ask(api)
        given = answer.json
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "application/json"
        token = given.pop("access_token")
        assert given == {
            "token_type": "Bearer",
            "expires_in": 900,
            "aud": "api.didww.com",
            "scope": "full",
            "api_version": BEARER,
        }
        claims = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert (claims["api_version"], claims["scope"]) == (BEARER, "full")
        assert claims["exp"] - claims["iat"] == 900
        assert api.sim.requests[0].path == "/token"


@pytest.mark.parametrize(
    ("asked", "given"), [(..., 900), (1, 60), (60, 60), (3600, 3600), (86_400, 3600)]
)
async def test_lifetimes_are_clamped(asked, given):
    async with running() as api:
        assert (await ask(api, expires_in=asked)).json["expires_in"] == given


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"key": "wrong"}, 401, "invalid_client"),
        ({"key": ""}, 401, "invalid_client"),
        ({"scope": "write"}, 400, "invalid_scope"),
        ({"scope": ...}, 400, "invalid_scope"),
        ({"aud": "sandbox-api.didww.com"}, 400, "invalid_request"),
        ({"aud": ...}, 400, "invalid_request"),
        ({"api_version": NEW}, 400, "invalid_request"),
        ({"expires_in": "soon"}, 400, "invalid_request"),
        ({"expires_in": True}, 400, "invalid_request"),
        ({"body": "{"}, 400, "invalid_request"),
        ({"body": "[]"}, 400, "invalid_request"),
        ({"media_type": "text/plain"}, 400, "invalid_request"),
        ({"method": "PUT"}, 405, "invalid_request"),
    ],
)
async def test_refusals_are_in_the_words_of_oauth(changes, status, error):
    async with running() as api:
        answer = await ask(api, **changes)
        assert (answer.status, answer.json["error"]) == (status, error)
        assert answer.json["error_description"]


async def test_tokens_may_be_limited():
    async with running(token_rate_limit=2) as api:
        answers = [await ask(api) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert answers[2].json["error"] == "rate_limit_exceeded"
        assert answers[2].headers["Retry-After"] == "1"


async def test_the_token_selects_the_version():
    async with running() as api:
        token = await token_of(api)
        for asked in (None, BEARER, OLD):
            headers = with_token(token, **{"X-DIDWW-API-Version": asked})
            answer = await api.call("GET", "/countries", headers=headers)
            assert answer.json["meta"]["api_version"] == BEARER


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Bearer", "Basic abc", ""])
async def test_a_bad_token_is_401_without_a_body(authorization):
    async with running() as api:
        headers = {"Api-Key": None, "Authorization": authorization}
        answer = await api.call("GET", "/countries", headers=headers)
        assert (answer.status, answer.body) == (401, b"")


async def test_the_key_does_not_open_the_bearer_version():
    async with running() as api:
        answer = await api.speaking(BEARER).call("GET", "/countries")
        assert (answer.status, answer.body) == (401, b"")


async def test_tokens_expire_by_the_clock_and_can_be_revoked():
    now = datetime(2026, 12, 1, tzinfo=UTC)
    async with running(clock=lambda: now, token_seconds=5) as api:
        answer = await ask(api)
        assert answer.json["expires_in"] == 5
        first = with_token(answer.json["access_token"])
        assert (await api.call("GET", "/balance", headers=first)).status == 200
        now += timedelta(seconds=5)
        assert (await api.call("GET", "/balance", headers=first)).status == 401
        second = with_token(await token_of(api))
        assert (await api.call("GET", "/balance", headers=second)).status == 200
        api.sim.revoke_tokens()
        assert (await api.call("GET", "/balance", headers=second)).status == 401


async def test_a_read_token_only_reads():
    async with running() as api:
        headers = with_token(await token_of(api, scope="read"))
        assert (await api.call("GET", "/orders", headers=headers)).status == 200
        for method in ("POST", "PATCH", "DELETE"):
            answer = await api.call(method, "/orders", headers=headers, json={})
            assert (answer.status, answer.error["code"]) == (403, "403")
        assert api.sim.orders == []


async def test_the_rate_limit_is_told_with_code_and_retry_after():
    async with running(rate_limit=1) as api:
        headers = with_token(await token_of(api))
        assert (await api.call("GET", "/balance", headers=headers)).status == 200
        answer = await api.call("GET", "/balance", headers=headers)
        assert answer.status == 429
        assert answer.error == {
            "code": "too_many_requests",
            "detail": "Too Many Requests",
            "status": "429",
        }
        assert answer.headers["Retry-After"] == "1"
        # It is the account's: the key has no limit of its own.
        assert (await api.call("GET", "/balance")).status == 429


async def test_number_types_are_an_attribute():
    async with running() as api:
        headers = with_token(await token_of(api))

        async def got(path: str) -> Answer:
            return await api.call("GET", path, headers=headers)

        assert (await got("/did_group_types")).status == 404
        one = (await got(f"/did_groups/{G_MOBILE}")).json["data"]
        assert one["attributes"]["number_type"] == "mobile"
        assert "did_group_type" not in one["relationships"]
        assert (await got("/did_groups?filter[number_type]=mobile")).ids == [G_MOBILE]
        assert (await got("/did_groups?sort=-number_type")).ids[0] == G_MOBILE
        picked = await got("/available_dids?filter[did_group.number_type]=toll_free")
        assert (picked.status, picked.ids) == (200, [])
        for wrong in (
            "/did_groups?filter[number_type]=Mobile",
            "/did_groups?filter[did_group_type.id]=x",
            "/did_groups?include=did_group_type",
            "/did_groups?sort=did_group_type.name",
            "/available_dids?filter[did_group_type.id]=x",
        ):
            assert (await got(wrong)).status == 400, wrong
        old = await api.get(f"/did_groups/{G_NEW_YORK}")
        assert "number_type" not in old.json["data"]["attributes"]
        assert (await api.call("GET", "/did_groups?filter[number_type]=local")).status == 400


async def test_an_order_with_a_token():
    async with running() as api:
        headers = with_token(await token_of(api))
        item = {"type": "did_order_items", "attributes": {"sku_id": SKU_0, "qty": 1}}
        attributes = {"items": [item], "external_reference_id": "r-1"}
        body = {"data": {"type": "orders", "attributes": attributes}}
        answer = await api.call("POST", "/orders", headers=headers, json=body)
        made = answer.json["data"]["attributes"]
        assert (answer.status, made["status"]) == (201, "pending")
        assert made["external_reference_id"] == "r-1"
        assert len(api.sim.orders) == 1
