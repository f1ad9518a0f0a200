"""CallbackReceiver by itself: what it answers, and how often it calls the handler."""

import asyncio
import json
import logging
import subprocess
import sys
from urllib.parse import urlencode

import pytest
from callbacks.kit import ORDER, SECRET, URL_OF_TESTS, Handler, received
from callbacks.test_parsing import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

import didww_async.callbacks
from didww_async.callbacks import (
    AddressVerificationCallback,
    CallbackReceiver,
    OrderCallback,
    TrunkEvent,
    sign,
)
from didww_async.errors import InvalidInput


def made(handler=None, **options):
    handler = handler or Handler()
    return CallbackReceiver(**{"secret": SECRET, "handle": handler} | options), handler


def other(**changed):
    return {**ORDER, **changed}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "url",
    [
        URL_OF_TESTS,
        "http://example.com:8080/a/b%2Fc?opaque=1+2&id=7&status=mine",
        "http://[::1]:9/x",
        "http://user:pass@foo.com/bar",
        "https://example.com/%E4/\udcff",
    ],
)
async def test_a_signed_callback_is_handled(method, url):
    receiver, handler = made()
    assert 204 == await received(receiver, method=method, url=url)
    [callback] = handler.seen
    assert isinstance(callback, OrderCallback)
    assert ORDER == {name: callback.raw[name] for name in ORDER}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("written", ["https://example.com", "https://example.com?a=b"])
async def test_a_url_without_path_is_called_as_a_slash(method, written):
    receiver, handler = made()
    url = (
        written
        if method == "POST"
        else f"{written}{'&' if '?' in written else '?'}{urlencode(ORDER)}"
    )
    called = "https://example.com/" + url.removeprefix("https://example.com")
    reply = await receiver.receive(
        method=method,
        url=called,
        headers={"x-didww-signature": sign(SECRET, url, ORDER)},
        body=urlencode(ORDER).encode(),
    )
    assert 204 == reply.status
    assert handler.calls == 1


@pytest.mark.parametrize("signed", [ORDER, {}, {"a": "b", **ORDER}])
async def test_get_whatever_part_of_the_query_is_signed_again(signed):
    receiver, handler = made()
    url = f"{URL_OF_TESTS}?a=b&{urlencode(ORDER)}"
    headers = {"X-DIDWW-Signature": sign(SECRET, url, signed)}
    reply = await receiver.receive(method="GET", url=url, headers=headers)
    assert 204 == reply.status
    assert ORDER["id"] == handler.seen[0].id


@pytest.mark.parametrize("name", ["reject_reasons", "reject_reasons[]"])
async def test_lists_in_a_form(name):
    receiver, handler = made()
    kind = other(type="address_verifications", status="rejected")
    body = f"{urlencode(kind)}&reject_reasons[]=a&reject_reasons[]=b".encode()
    signature = sign(SECRET, URL_OF_TESTS, {**kind, name: ["a", "b"]})
    assert 204 == await received(receiver, headers={"X-DIDWW-Signature": signature}, body=body)
    [callback] = handler.seen
    assert isinstance(callback, AddressVerificationCallback)
    assert ("a", "b") == callback.reject_reasons


async def test_events_in_a_json_array():
    receiver, handler = made()
    events = [
        {"type": "voice_out_trunks", "id": "1", "status": "blocked", "note": None},
        {"type": "voice_out_trunks", "id": "2", "status": "blocked", "count": 2},
    ]
    signed = [{**event, "count": "2"} if "count" in event else event for event in events]
    headers = {"X-DIDWW-Signature": sign(SECRET, URL_OF_TESTS, signed)}
    request = {"headers": headers, "body": json.dumps(events).encode()}
    assert 204 == await received(receiver, **request)
    assert [TrunkEvent, TrunkEvent] == [type(callback) for callback in handler.seen]
    # The same event may be news: a trunk can be blocked twice.
    assert 204 == await received(receiver, **request)
    assert handler.calls == 4


async def test_several_keys():
    receiver, handler = made(secret=["new", "old"])
    assert 204 == await received(receiver, key="old")
    assert 204 == await received(receiver, other(id="2"), key="new")
    assert 403 == await received(receiver, other(id="3"), key="older")
    assert handler.calls == 2


@pytest.mark.parametrize("secret", ["", [], [""], ["a", ""], None, b"bytes"])
def test_secrets_that_can_not_work(secret):
    with pytest.raises((InvalidInput, TypeError)):
        made(secret=secret)


@pytest.mark.parametrize("url", ["", "example.com", "/a", "ftp://a", "https://", "https://a/?b=c"])
def test_public_urls_that_can_not_work(url):
    with pytest.raises(InvalidInput):
        made(public_url=url)


async def test_no_secret_is_shown(caplog):
    caplog.set_level(logging.DEBUG)
    receiver, _ = made(Handler(failures=9), secret="s3cret", public_url="https://u:pa55@a.com")
    assert 403 == await received(receiver, url="https://u:pa55@a.com/x?token=t0ken")
    assert 500 == await received(receiver, url="https://u:pa55@a.com/x", key="s3cret")
    assert "wrong signature" in caplog.text
    assert "the database is away" in caplog.text
    for secret in ("s3cret", "pa55", "t0ken"):
        assert secret not in caplog.text + repr(receiver)


@pytest.mark.parametrize(
    "changed",
    [
        {"headers": {}},
        {"headers": {"X-DIDWW-Signature": ""}},
        {"headers": {"X-DIDWW-Signature": "0" * 40}},
        {"headers": {"X-DIDWW-Signature": "ü" * 40}},
        {"body": b""},
        {"body": urlencode(other(status="canceled")).encode()},
        {"body": urlencode(other(more="1")).encode()},
        {"body": b"{}"},
        {"method": "GET"},
        {"url": URL_OF_TESTS + "/"},
        {"url": URL_OF_TESTS + "?"},
        {"url": "http://example.com/didww"},
        {"url": "https://example.com:8443/didww"},
        {"url": "https://example.org/didww"},
        {"url": "/didww"},
    ],
)
async def test_what_didww_did_not_sign_is_refused(changed):
    receiver, handler = made()
    request = {
        "method": "POST",
        "url": URL_OF_TESTS,
        "headers": {"X-DIDWW-Signature": sign(SECRET, URL_OF_TESTS, ORDER)},
        "body": urlencode(ORDER).encode(),
    }
    reply = await receiver.receive(**request | changed)
    assert (403, {}) == (reply.status, reply.headers)
    assert handler.calls == 0


@pytest.mark.parametrize("payload", [other(id=""), other(type=""), other(status=""), {}])
async def test_what_is_signed_but_says_nothing(payload):
    receiver, handler = made()
    assert 400 == await received(receiver, payload)
    assert 400 == await received(receiver, payload, method="GET")
    assert handler.calls == 0


@pytest.mark.parametrize("body", HOSTILE, ids=lambda body: repr(body[:30]))
async def test_hostile_bodies(body):
    receiver, handler = made()
    assert await received(receiver, body=body) in {400, 403}
    assert handler.calls == 0


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.binary())
def test_hostile_requests(method, url, signature, body):
    receiver, handler = made()
    headers = {"X-DIDWW-Signature": signature.ljust(40)[:40]}

    async def all_of_them():
        for way in (method, "GET", "POST"):
            for where in (url, "https://example.com/" + url):
                reply = await receiver.receive(method=way, url=where, headers=headers, body=body)
                assert reply.status in {400, 403, 405}

    asyncio.run(all_of_them())
    assert handler.calls == 0


@settings(deadline=None)
@given(st.data())
def test_borders_that_a_stranger_moves(data):
    """The signed words have no separators; a replay with other borders must not be handled."""
    receiver, handler = made()
    flat = "".join(name + ORDER[name] for name in sorted(ORDER))
    query = "opaque=1"
    seen = f"{URL_OF_TESTS}?{query}&{urlencode(ORDER)}"
    signature = sign(SECRET, seen, ORDER)
    cut = data.draw(st.integers(0, len(flat)))
    request = {"method": "GET", "headers": {"X-DIDWW-Signature": signature}}
    reply = asyncio.run(receiver.receive(url=seen + flat[:cut], **request))
    assert (204 if cut == 0 else 400 if cut == len(flat) else 403) == reply.status
    assert handler.calls == (cut == 0)


@pytest.mark.parametrize("method", ["PUT", "HEAD", "DELETE", "get", "", "\0"])
async def test_other_methods(method):
    receiver, _ = made()
    reply = await receiver.receive(method=method, url=URL_OF_TESTS, headers={})
    assert (405, "GET, POST") == (reply.status, reply.headers["Allow"])


async def test_a_body_that_is_too_large_is_not_read_to_its_end():
    receiver, handler = made(max_body=1000)
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 100
            yield b"x" * 100

    assert 413 == await received(receiver, body=endless())
    assert read == 1100
    assert 413 == await received(receiver, body=b"x" * 1001)
    assert 403 == await received(receiver, headers={}, body=endless())
    assert read == 1100
    assert handler.calls == 0


async def test_repeats_are_handled_once():
    receiver, handler = made()
    assert 204 == await received(receiver)
    assert 204 == await received(receiver, method="GET")
    assert 204 == await received(receiver, other(status="Completed", type="Orders"))
    assert handler.calls == 1
    assert 204 == await received(receiver, other(status="canceled"))
    assert 204 == await received(receiver, other(type="exports"))
    assert handler.calls == 3


async def test_what_is_remembered_is_bounded():
    receiver, handler = made(remember=2)
    for call, name in enumerate("abc", start=1):
        assert 204 == await received(receiver, other(id=name))
        assert handler.calls == call
    assert 204 == await received(receiver, other(id="b"))
    assert handler.calls == 3
    assert 204 == await received(receiver, other(id="a"))
    assert handler.calls == 4
    # "b" was asked for after "c", so "c" was forgotten for "a".
    assert 204 == await received(receiver, other(id="b"))
    assert handler.calls == 4


async def test_a_handler_that_failed_is_called_again(caplog):
    receiver, handler = made(Handler(failures=2))
    assert [500, 500, 204, 204] == [await received(receiver) for _ in range(4)]
    assert handler.calls == 3
    assert caplog.text.count("RuntimeError: the database is away") == 2


async def test_repeats_wait_for_the_first():
    free = asyncio.Event()
    receiver, handler = made(Handler(wait=free.wait))
    tasks = [asyncio.create_task(received(receiver)) for _ in range(20)]
    await asyncio.sleep(0.01)
    assert [] == [task for task in tasks if task.done()]
    free.set()
    assert {204} == set(await asyncio.gather(*tasks))
    assert handler.calls == 1


async def test_repeats_of_one_that_fails_fail_too_and_the_next_is_handled():
    free = asyncio.Event()
    receiver, handler = made(Handler(failures=1, wait=free.wait))
    tasks = [asyncio.create_task(received(receiver)) for _ in range(5)]
    await asyncio.sleep(0.01)
    free.set()
    assert {500} == set(await asyncio.gather(*tasks))
    assert 204 == await received(receiver)
    assert handler.calls == 2


async def test_different_callbacks_are_handled_at_the_same_time():
    together = asyncio.Barrier(5)
    receiver, handler = made(Handler(wait=together.wait))
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(received(receiver, other(id=str(n))) for n in range(5)))
    assert {204} == set(answers)
    assert handler.calls == 5


async def test_a_caller_that_hangs_up_does_not_stop_the_handler():
    free = asyncio.Event()
    receiver, handler = made(Handler(wait=free.wait))
    first = asyncio.create_task(received(receiver))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(received(receiver))
    await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    free.set()
    assert 204 == await second
    assert handler.calls == len(handler.seen) == 1


async def test_a_handler_that_is_cancelled_has_failed():
    async def cancelled():
        raise asyncio.CancelledError

    receiver, handler = made(Handler(wait=cancelled))
    assert 500 == await received(receiver)
    assert 500 == await received(receiver)
    assert handler.calls == 2


async def test_closing_waits_for_handlers():
    free = asyncio.Event()
    receiver, handler = made(Handler(wait=free.wait))
    task = asyncio.create_task(received(receiver))
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(receiver.aclose())
    await asyncio.sleep(0.01)
    assert not closing.done()
    assert 503 == await received(receiver, other(id="2"))
    free.set()
    await closing
    assert 204 == await task
    assert len(handler.seen) == 1
    await receiver.aclose()


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("public_url", "written", "seen"),
    [
        ("https://example.com", "https://example.com/cb?a=b", "http://10.0.0.1:8080/cb?a=b"),
        ("https://example.com", "https://example.com/cb?a=b", "/cb?a=b"),
        ("https://example.com/", "https://example.com/cb", "http://10.0.0.1/cb"),
        ("https://example.com", "https://example.com", "http://10.0.0.1/"),
        ("https://example.com/x", "https://example.com/x/cb", "http://10.0.0.1/cb"),
        ("https://example.com/x", "https://example.com/x", "http://10.0.0.1/"),
        ("https://example.com/x", "https://example.com/x/cb", "http://10.0.0.1/x/cb"),
        ("https://example.com:444", "https://example.com:444/cb", "http://10.0.0.1/cb"),
        ("https://u:p@example.com", "https://u:p@example.com/cb", "https://example.com/cb"),
        ("https://[::1]:5", "https://[::1]:5/c%2fb", "https://example.com/c%2fb"),
    ],
)
async def test_public_urls(method, public_url, written, seen):
    receiver, handler = made(public_url=public_url)
    signed = written
    if method == "GET":
        added = ("&" if "?" in written else "?") + urlencode(ORDER)
        signed, seen = written + added, seen + added
    headers = {"X-DIDWW-Signature": sign(SECRET, signed, ORDER)}
    body = urlencode(ORDER).encode()
    reply = await receiver.receive(method=method, url=seen, headers=headers, body=body)
    assert 204 == reply.status
    assert handler.calls == 1


async def test_a_fragment_is_signed_though_never_sent():
    receiver, _ = made(public_url="http://example.com#baz", secret="OTHERAPIKEY")
    headers = {"X-DIDWW-Signature": "32754ba93ac1207e540c0cf90371e7786b3b1cde"}
    url = "http://example.com/callbacks?foo=bar"
    assert 204 == await received(receiver, url=url, headers=headers)


async def test_without_public_url_the_wrong_host_is_refused():
    receiver, _ = made(public_url="https://example.com")
    assert 403 == await received(receiver, url="https://example.org/cb")


def test_public_names():
    assert sorted(didww_async.callbacks.__all__) == [
        "AddressVerificationCallback",
        "Callback",
        "CallbackReceiver",
        "CallbackReply",
        "CallbackStatus",
        "EmergencyVerificationCallback",
        "ExportCallback",
        "OrderCallback",
        "SIGNATURE_HEADER",
        "TrunkEvent",
        "UnknownCallback",
        "UnreadableCallback",
        "is_valid",
        "parse_body",
        "parse_query",
        "sign",
    ]


def test_imports():
    code = (
        "import sys, didww_async\n"
        "assert 'didww_async.callbacks' not in sys.modules\n"
        "import didww_async.callbacks, didww_async.callbacks.asgi\n"
        "wanted = {'aiohttp.web', 'fastapi', 'starlette', 'uvicorn'}\n"
        "print(wanted & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert ("set()\n", "") == (done.stdout, done.stderr)
