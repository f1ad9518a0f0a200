"""DIDWW's signature: its vectors, and that every byte counts."""

import pytest
from callbacks.kit import ORDER
from didww.callback.request_validator import RequestValidator
from hypothesis import assume, example, given
from hypothesis import strategies as st

from didww_async.callbacks import is_valid, sign
from didww_async.callbacks.signature import split_url
from didww_async.simulator.callbacks import signature as simulated_signature

KEY = "SOMEAPIKEY"
VECTORS = [
    ("http://example.com/callbacks", "fe99e416c3547f2f59002403ec856ea386d05b2f"),
    ("http://foo.com/bar", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
    ("http://foo.com:80/bar", "4d1ce2be656d20d064183bec2ab98a2ff3981f73"),
    ("https://foo.com/bar", "f26a771c302319a7094accbe2989bad67fff2928"),
    ("https://foo.com:443/bar", "f26a771c302319a7094accbe2989bad67fff2928"),
    ("http://user:pass@foo.com/bar", "88615a11a78c021c1da2e1e0bfb8cc165170afc5"),
    ("http://[::1]:9090/bar", "ebec110ec5debd0e0fd086ff2f02e48ca665b543"),
    ("http://foo.com/hello%20world", "eb64035b2e8f356ff1442898a39ec94d5c3e2fc8"),
    ("http://foo.com/foo%2Fbar", "db24428442b012fa0972a453ba1ba98e755bba10"),
]
ALL_VECTORS = [(KEY, url, ORDER, signature) for url, signature in VECTORS] + [
    (
        "OTHERAPIKEY",
        "http://example.com/callbacks?foo=bar#baz",
        ORDER,
        "32754ba93ac1207e540c0cf90371e7786b3b1cde",
    ),
    (
        "szrdgh6547umt7tht7xbqhj6g9gdbyp7",
        "https://mycompany.com/didww_callbacks?opaque=123",
        {**ORDER, "id": "bf2cee72-6caa-4ae2-917e-bea01945691e"},
        "30f66e9d72eb5e193051fd02952f70d8e934b4ff",
    ),
]


@pytest.mark.parametrize(("key", "url", "payload", "signature"), ALL_VECTORS)
def test_vectors(key, url, payload, signature):
    assert signature == sign(key, url, payload)
    assert is_valid(key, url, payload, signature)
    # Neither the simulator nor DIDWW's own SDK shares code with ours.
    assert signature == simulated_signature(key, url, payload)
    assert RequestValidator(key).validate(url, payload, signature)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://foo.com:/bar", "https://foo.com/bar"),
        ("HTTPS://foo.com/bar", "https://foo.com/bar"),
        ("https://foo.com", "https://foo.com:443"),
        ("https://foo.com?a", "https://foo.com:443?a"),
        ("https://foo.com#a", "https://foo.com:443#a"),
        ("http://[::1]/bar", "http://[::1]:80/bar"),
        ("http://u:p@[::1]/bar", "http://u:p@[::1]:80/bar"),
        ("http://u@foo.com/a:b@c", "http://u@foo.com:80/a:b@c"),
    ],
)
def test_urls_that_are_signed_alike(one, other):
    assert sign(KEY, one, ORDER) == sign(KEY, other, ORDER)


def test_urls_that_look_alike_are_signed_differently():
    urls = [
        "https://foo.com",
        "https://foo.com/",
        "https://foo.com//",
        "https://foo.com/.",
        "https://foo.com/%41",
        "https://foo.com/A",
        "https://foo.com?",
        "https://foo.com#",
        "https://foo.com/?",
        "https://foo.com:444",
        "https://u@foo.com",
        "https://u:@foo.com",
        "http://foo.com:443",
    ]
    assert len(urls) == len({sign(KEY, url, ORDER) for url in urls})
    assert urls == ["{}://{}{}".format(*split_url(url)) for url in urls]


def test_null_is_empty_text():
    assert sign(KEY, "http://a", {"a": None, "b": "x"}) == sign(
        KEY, "http://a", {"a": "", "b": "x"}
    )


def test_names_are_sorted_and_entries_of_an_array_are_not():
    one, other = {"b": "1", "a": "2"}, {"a": "0"}
    assert sign(KEY, "http://a", {"a": "2", "b": "1"}) == sign(KEY, "http://a", one)
    assert sign(KEY, "http://a:80", {"a2b1a": "0"}) == sign(KEY, "http://a", [one, other])
    assert sign(KEY, "http://a", [other, one]) != sign(KEY, "http://a", [one, other])


@pytest.mark.parametrize(
    "signature",
    ["", " ", "ü" * 40, "0" * 39, "0" * 40, "0" * 41, None, 7, b"x", [], VECTORS[0][1].upper()],
)
def test_other_signatures_are_invalid(signature):
    assert is_valid(KEY, VECTORS[0][0], ORDER, signature) is False


@pytest.mark.parametrize("url", ["", "/bar", "foo.com", "://foo.com", "http://", "http:///bar"])
def test_what_is_no_url_can_not_be_signed(url):
    with pytest.raises(ValueError, match="URL"):
        sign(KEY, url, ORDER)
    assert is_valid(KEY, url, ORDER, "0" * 40) is False


@pytest.mark.parametrize("payload", ["text", b"bytes", [1], ["text"], {1: "a", "b": "c"}, 7, None])
def test_what_is_no_payload_is_invalid(payload):
    assert is_valid(KEY, "http://foo.com", payload, "0" * 40) is False


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PAYLOADS = st.dictionaries(TEXT, TEXT, max_size=4)
URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["foo.com", "foo.com:8080", "[::1]", "[::1]:1", "u:p@foo.com"]),
    st.sampled_from(["", "/"]),
    TEXT,
)


@given(ANYTHING | URLS, ANYTHING, ANYTHING)
@example("http://\ud800", {}, "0" * 40)
@example("http://a", {"a": "\ud800"}, "0" * 40)
def test_hostile_input_never_raises(url, payload, signature):
    assert is_valid(KEY, url, payload, signature) is False


def test_a_payload_without_end_never_raises():
    endless = []
    endless.append(endless)
    assert is_valid(KEY, "http://a", {"a": endless}, "0" * 40) is False


@given(TEXT.filter(bool), URLS, PAYLOADS | st.lists(PAYLOADS, max_size=3))
def test_what_is_signed_is_valid(key, url, payload):
    signature = sign(key, url, payload)
    assert is_valid(key, url, payload, signature)
    assert len(signature) == 40
    assert not is_valid(key + "x", url, payload, signature)


@given(URLS, PAYLOADS, st.integers(min_value=0), st.characters(exclude_categories=["Cs"]))
def test_every_letter_of_the_url_counts(url, payload, at, letter):
    # Before the path, other letters may rightly mean the same: "HTTP", ":80".
    start = len(url) - len(split_url(url)[2])
    assume(start < len(url))
    at = start + at % (len(url) - start)
    changed = url[:at] + letter + url[at + 1 :]
    assume(changed != url)
    assert not is_valid(KEY, changed, payload, sign(KEY, url, payload))


@given(PAYLOADS.filter(bool), st.data())
def test_every_letter_of_a_value_counts(payload, data):
    name = data.draw(st.sampled_from(sorted(payload)))
    value = data.draw(TEXT)
    assume(value != payload[name])
    signature = sign(KEY, "http://a", payload)
    assert not is_valid(KEY, "http://a", {**payload, name: value}, signature)


@given(st.integers(0, 39), st.sampled_from("0123456789abcdefg"))
def test_every_letter_of_the_signature_counts(at, letter):
    url, signature = VECTORS[0]
    changed = signature[:at] + letter + signature[at + 1 :]
    assert is_valid(KEY, url, ORDER, changed) is (changed == signature)


@given(st.from_regex(r"/[a-z0-9%/.~-]{0,20}(\?[a-z0-9=&%]{1,20})?", fullmatch=True), PAYLOADS)
def test_the_official_sdk_signs_alike(path, payload):
    url = "https://foo.com" + path
    assert RequestValidator(KEY).validate(url, payload, sign(KEY, url, payload))
