"""Replies of every chapter: as the contract has them, and as they really come."""

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from contract import NESTED, RESOURCES
from resources.samples import BEYOND, part, read, resource_class, resource_object

from didww_async import UNSET
from didww_async.resources.base import (
    UnknownNested,
    attributes_of,
    fields_of,
    is_relationship,
    is_to_many,
    wire_name,
)
from didww_async.resources.identity import Address, Identity, IdentityType
from didww_async.resources.regulation import AreaLevel, IdentityField
from didww_async.resources.sip import Codec, MediaEncryptionMode, PstnConfiguration
from didww_async.resources.voice_out import (
    CredentialsAndIp,
    DefaultDstAction,
    IpOnly,
    OnCliMismatchAction,
    Twilio,
)
from didww_async.wire.converter import make_converter

HALF_PAST_TEN = dt.datetime(2026, 4, 16, 10, 30, tzinfo=dt.UTC)


def plain(found: Any) -> Any:
    """A value as it would be written."""
    return json.loads(json.dumps(make_converter().unstructure(found)))


def without_read_only(sample: Any) -> Any:
    """What of a reply's part may be sent: the server keeps some attributes to itself."""
    if not (isinstance(sample, dict) and "attributes" in sample):
        return sample
    parts = (NESTED["trunk_configurations"], NESTED["authentication_methods"])
    kinds = {kind: spec for found in parts for kind, spec in found["response"].items()}
    spec = kinds[sample["type"]]
    kept = {k: v for k, v in sample["attributes"].items() if not spec[k].get("read_only")}
    return sample | {"attributes": kept}


@pytest.mark.parametrize("type_", RESOURCES)
def test_a_whole_reply_is_read_and_nothing_of_it_is_lost(type_: str) -> None:
    wire = resource_object(type_)
    found = read(wire)
    assert isinstance(found, resource_class(type_))
    assert wire is found.raw
    for field in attributes_of(type(found)):
        if field.name in BEYOND.get(type_, set()):
            continue
        value, came = getattr(found, field.name), wire["attributes"][field.name]
        assert value is not UNSET, field.name
        if field.name != "items":  # order lines are never written
            assert without_read_only(came) == plain(value), field.name
    for field in fields_of(type(found)):
        if is_relationship(field):
            linked = getattr(found, field.name)
            (one,) = linked if is_to_many(field) else (linked,)
            linkage = wire["relationships"][field.name]["data"]
            assert linkage in ([{"type": one.type, "id": one.id}], {"type": one.type, "id": one.id})
    for field in attributes_of(type(found.meta)):
        assert wire["meta"][wire_name(field)] == plain(getattr(found.meta, field.name))


@pytest.mark.parametrize("type_", RESOURCES)
def test_null_is_none_wherever_the_contract_has_it(type_: str) -> None:
    nullable = {
        name: None
        for name, spec in (RESOURCES[type_].get("attributes") or {}).items()
        if spec.get("nullable")
    }
    found = read(resource_object(type_, **nullable))
    assert nullable == {name: getattr(found, name) for name in nullable}


@pytest.mark.parametrize("type_", RESOURCES)
def test_a_resource_without_attributes_is_read(type_: str) -> None:
    found = read({"type": type_, "id": "x"})
    assert "x" == found.id
    assert {UNSET} >= {getattr(found, field.name) for field in attributes_of(type(found))}


@pytest.mark.parametrize(
    ("type_", "name", "came", "expected"),
    [
        ("identities", "identity_type", "Personal", IdentityType.PERSONAL),
        ("address_requirements", "identity_type", "Any", IdentityType.ANY),
        ("address_requirements", "personal_area_level", "WorldWide", AreaLevel.WORLD_WIDE),
        ("address_requirements", "business_area_level", "Worldwide", AreaLevel.WORLD_WIDE),
        ("address_requirements", "address_area_level", "Area", AreaLevel.AREA),
        ("address_requirements", "address_area_level", "planet", "planet"),
        (
            "address_requirements",
            "personal_mandatory_fields",
            ["Birth Date", "shoe_size"],
            (IdentityField.BIRTH_DATE, "shoe_size"),
        ),
        ("voice_out_trunks", "on_cli_mismatch_action", "Reject call", "reject_call"),
        (
            "voice_out_trunks",
            "on_cli_mismatch_action",
            "Replace CLI",
            OnCliMismatchAction.REPLACE_CLI,
        ),
        ("voice_out_trunks", "default_dst_action", "Allow All", DefaultDstAction.ALLOW_ALL),
        ("voice_out_trunks", "media_encryption_mode", "SRTP SDES", MediaEncryptionMode.SRTP_SDES),
        ("voice_out_trunks", "default_dst_action", "Reject Calls", DefaultDstAction.REJECT_ALL),
        ("voice_out_trunks", "media_encryption_mode", "Disable", MediaEncryptionMode.DISABLED),
        ("voice_out_trunks", "threshold_amount", 0, Decimal(0)),
        ("voice_out_trunks", "capacity_limit", "100", 100),
        ("dids", "capacity_limit", "100", 100),
        ("dids", "capacity_limit", "shared", UNSET),
        ("dids", "expires_at", "2026-05-01", dt.datetime(2026, 5, 1, tzinfo=dt.UTC)),
        ("capacity_pools", "renew_date", "2026-05-01T00:00:00.000Z", dt.date(2026, 5, 1)),
        ("capacity_pools", "setup_price", 0, Decimal(0)),
        ("capacity_pools", "setup_price", None, None),
        ("address_verifications", "reject_reasons", None, None),
        ("address_verifications", "reject_reasons", "blurred", ("blurred",)),
        ("address_verifications", "reject_reasons", ["blurred", "old"], ("blurred", "old")),
        ("address_verifications", "status", "Rejected", "rejected"),
        ("emergency_verifications", "reject_reasons", "blurred", ("blurred",)),
        ("emergency_requirements", "estimate_setup_time", 14, "14"),
        ("emergency_requirements", "estimate_setup_time", "7-14 days", "7-14 days"),
        ("emergency_calling_services", "status", "In process", "in_process"),
        ("exports", "status", "Completed", "completed"),
        ("exports", "callback_method", "POST", "post"),
        ("exports", "filters", {}, None),
        ("exports", "created_at", "2026-04-16 10:30:00", HALF_PAST_TEN),
        ("proof_types", "entity_type", "personal", "Personal"),
        ("regions", "iso", None, None),
        ("countries", "prefix", None, None),
        ("did_history", "action", "ported", "ported"),
        ("encrypted_files", "expires_at", "2026-04-16 10:30:00 UTC", HALF_PAST_TEN),
    ],
)
def test_what_really_comes_is_understood_or_kept(
    type_: str, name: str, came: Any, expected: Any
) -> None:
    found = read(resource_object(type_, **{name: came}))
    assert came == found.raw["attributes"][name]
    if name == "filters":
        assert UNSET is found.filters.from_
    else:
        assert expected == getattr(found, name)


def test_a_region_without_iso_is_read() -> None:
    wire = resource_object("regions")
    del wire["attributes"]["iso"]
    assert UNSET is read(wire).iso


def test_a_proof_is_of_an_identity_or_of_an_address() -> None:
    wire = resource_object("proofs")
    assert Identity(id="identities-9") == read(wire).entity
    wire["relationships"]["entity"]["data"] = {"type": "addresses", "id": "a1"}
    linked = read(wire, resource_object("addresses") | {"id": "a1"}).entity
    assert isinstance(linked, Address)
    assert "address of it" == linked.address


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("credentials_and_ip", CredentialsAndIp), ("ip_only", IpOnly), ("twilio", Twilio)],
)
def test_each_authentication_method_has_its_class(kind: str, expected: type) -> None:
    came = part("authentication_methods", kind)
    found = read(resource_object("voice_out_trunks", authentication_method=came))
    assert isinstance(found.authentication_method, expected)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (part("trunk_configurations", "pstn_configurations"), PstnConfiguration),
        ({"type": "iax_configurations", "attributes": {"host": "x"}}, UnknownNested),
        ({"type": "sip_configurations"}, UnknownNested),
        ({"type": "sip_configurations", "attributes": None}, UnknownNested),
        ({}, UnknownNested),
    ],
)
def test_a_configuration_of_any_kind_is_kept(came: Mapping[str, Any], expected: type) -> None:
    found = read(resource_object("voice_in_trunks", configuration=came)).configuration
    assert isinstance(found, expected)
    assert came == found.raw


def test_codes_are_numbers_with_names() -> None:
    came = part("trunk_configurations")
    came["attributes"]["codec_ids"] = [9, 10, 99]
    found = read(resource_object("voice_in_trunks", configuration=came)).configuration
    assert (Codec.PCMU, Codec.PCMA, 99) == found.codec_ids


@pytest.mark.parametrize(
    ("type_", "where", "kind", "secrets"),
    [
        (
            "voice_in_trunks",
            "configuration",
            ("trunk_configurations", "sip_configurations"),
            {"auth_password", "incoming_auth_username", "incoming_auth_password"},
        ),
        (
            "voice_out_trunks",
            "authentication_method",
            ("authentication_methods", "credentials_and_ip"),
            {"username", "password"},
        ),
    ],
)
def test_secrets_are_readable_and_not_shown(
    type_: str, where: str, kind: tuple[str, str], secrets: set[str]
) -> None:
    came = part(*kind)
    came["attributes"] |= dict.fromkeys(secrets, "s3cret")
    trunk = read(resource_object(type_, **{where: came}))
    inner = getattr(trunk, where)
    assert dict.fromkeys(secrets, "s3cret") == {name: getattr(inner, name) for name in secrets}
    for shown in (repr(inner), str(inner), f"{trunk}", repr([trunk])):
        assert "s3cret" not in shown
        assert all(f"{name}=<hidden>" in shown for name in secrets)
    unknown = read(resource_object(type_, **{where: came | {"type": "of_tomorrow"}}))
    assert "s3cret" not in repr(unknown)


def test_history_tells_before_and_after() -> None:
    wire = resource_object("did_history") | {"meta": {"from": "5", "to": None}}
    assert "5" == read(wire).meta.from_
    assert None is read(wire).meta.to
