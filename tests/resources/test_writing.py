"""The bodies that are sent: whole, minimal, with nulls; and what is refused before that."""

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import pytest
from contract import NESTED
from resources.samples import (
    input_class,
    part,
    read,
    resource_class,
    resource_object,
    writes,
    written,
)

from didww_async import UNSET, InvalidInput, NotInThisVersion
from didww_async.resources.base import is_read_only
from didww_async.resources.capacity import SharedCapacityGroupUpdate
from didww_async.resources.documents import PermanentSupportingDocumentUpdate, ProofCreate
from didww_async.resources.emergency import (
    EmergencyRequirementValidationCreate,
    EmergencyVerificationCreate,
)
from didww_async.resources.exports import ExportCreate, ExportFilters
from didww_async.resources.identity import (
    Address,
    AddressCreate,
    Identity,
    IdentityCreate,
    IdentityUpdate,
)
from didww_async.resources.inputs import CallbackMethod, Input
from didww_async.resources.numbers import DidUpdate
from didww_async.resources.orders import (
    AvailableDidOrderItem,
    CapacityOrderItem,
    DidOrderItem,
    ReservedDidOrderItem,
)
from didww_async.resources.regulation import (
    AddressRequirementValidationCreate,
    AddressVerificationCreate,
)
from didww_async.resources.sip import (
    Codec,
    MediaEncryptionMode,
    PstnConfiguration,
    SipConfiguration,
    TransportProtocol,
)
from didww_async.resources.voice_in import (
    VoiceInTrunkCreate,
    VoiceInTrunkGroupUpdate,
    VoiceInTrunkUpdate,
)
from didww_async.resources.voice_out import (
    CredentialsAndIp,
    IpOnly,
    Twilio,
    VoiceOutTrunkCreate,
    VoiceOutTrunkUpdate,
)

WRITES = [(type_, method, request) for type_, method, request in writes()]
# Of fields that exclude each other, the one the whole body goes without.
WITHOUT = {
    ("dids", "PATCH"): "voice_in_trunk_group",
    ("emergency_verifications", "POST"): "emergency_calling_service",
}
NEEDED_TOO = {"emergency_verifications": {"dids"}}  # one of two, so neither is marked required

SIP = SipConfiguration(
    host="sip.example.com", port=5060, codec_ids=(Codec.PCMU, Codec.PCMA), auth_password="mine"
)
WIRE_SIP = {
    "type": "sip_configurations",
    "attributes": {
        "host": "sip.example.com",
        "port": 5060,
        "codec_ids": [9, 10],
        "auth_password": "mine",
    },
}
SPAN = ExportFilters(
    from_=dt.datetime(2026, 4, 1, tzinfo=dt.UTC),
    to=dt.datetime(2026, 4, 15, 12, tzinfo=dt.UTC),
    others={"did_number": "442071234567"},
)
SPECIAL: Mapping[str, tuple[Any, Any]] = {
    "configuration": (SIP, WIRE_SIP),
    "authentication_method": (
        CredentialsAndIp(allowed_sip_ips=("203.0.113.5",), tech_prefix=None),
        {
            "type": "credentials_and_ip",
            "attributes": {"allowed_sip_ips": ["203.0.113.5"], "tech_prefix": None},
        },
    ),
    "filters": (
        SPAN,
        {
            "from": "2026-04-01T00:00:00.000Z",
            "to": "2026-04-15T12:00:00.000Z",
            "did_number": "442071234567",
        },
    ),
    "items": (
        (DidOrderItem(sku_id="s1", qty=2),),
        [{"type": "did_order_items", "attributes": {"sku_id": "s1", "qty": 2}}],
    ),
    "phone_number": ("442071234567", "442071234567"),
    "allow_back_ordering": (False, False),
}


def given_and_wire(name: str, spec: Mapping[str, Any]) -> tuple[Any, Any]:  # noqa: PLR0911
    """A value for an attribute of an input, and what the body says then."""
    if name in SPECIAL:
        return SPECIAL[name]
    if "enum" in spec:
        return spec["enum"][0], spec["enum"][0]
    if spec.get("decimal"):
        return Decimal("12.50"), "12.50"
    if spec.get("format") == "date":
        return dt.date(1990, 2, 3), "1990-02-03"
    match spec["type"]:
        case "integer":
            return 7, 7
        case "boolean":
            return False, False
        case "array":
            return ["203.0.113.5"], ["203.0.113.5"]
    return f"{name} Łódź", f"{name} Łódź"


def related(spec: Mapping[str, Any]) -> tuple[Any, Any]:
    type_ = spec["types"][0]
    if len(spec["types"]) > 1:
        return resource_class(type_)(id="i1"), {"type": type_, "id": "i1"}
    if spec["kind"] == "many":
        return ["i1", "i2"], [{"type": type_, "id": "i1"}, {"type": type_, "id": "i2"}]
    return "i1", {"type": type_, "id": "i1"}


def made(
    type_: str,
    method: str,
    request: Mapping[str, Any],
    wanted: Callable[[str, Mapping[str, Any]], bool],
) -> tuple[Input, dict[str, Any]]:
    given: dict[str, Any] = {}
    data: dict[str, Any] = {"type": type_}
    for section, value_of in (("attributes", given_and_wire), ("relationships", None)):
        for name, spec in request[section].items():
            if not wanted(name, spec):
                continue
            given[name], wire = value_of(name, spec) if value_of else related(spec)
            data.setdefault(section, {})[name] = wire if value_of else {"data": wire}
    return input_class(type_, method)(**given), data


@pytest.mark.parametrize(("type_", "method", "request_"), WRITES)
def test_a_whole_body_is_written(type_: str, method: str, request_: Mapping[str, Any]) -> None:
    given, data = made(
        type_, method, request_, lambda name, _: name != WITHOUT.get((type_, method))
    )
    if type_ == "dids":
        data["relationships"]["voice_in_trunk_group"] = {"data": None}  # routed to one of the two
    assert data == written(given)


@pytest.mark.parametrize(("type_", "method", "request_"), WRITES)
def test_a_minimal_body_holds_what_is_required_only(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    if method == "PATCH" and len(request_["attributes"]) + len(request_["relationships"]) == 1:
        with pytest.raises(TypeError, match="missing 1 required"):
            input_class(type_, method)()
        return
    validation = {"address"} if type_.endswith("requirement_validations") else set()
    needed = NEEDED_TOO.get(type_, set()) | validation
    given, data = made(
        type_, method, request_, lambda name, spec: spec.get("required", False) or name in needed
    )
    if type_ == "orders":
        data["attributes"]["allow_back_ordering"] = False  # always said: the API takes true
    assert data == written(given)


@pytest.mark.parametrize(("type_", "method", "request_"), WRITES)
def test_none_is_sent_as_null_where_the_api_takes_it_and_refused_elsewhere(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    given, _ = made(type_, method, request_, lambda name, _: name != WITHOUT.get((type_, method)))
    for name, spec in (request_["attributes"] | request_["relationships"]).items():
        if name.startswith("callback_"):
            continue  # both or neither: elsewhere
        if not spec.get("nullable", spec.get("data_nullable", False)):
            with pytest.raises(InvalidInput, match=name):
                attrs.evolve(given, **{name: None})
            continue
        data = written(attrs.evolve(given, **{name: None}))
        null = data.get("attributes", {}) | data.get("relationships", {})
        assert null[name] in (None, {"data": None})


@pytest.mark.parametrize(("type_", "method", "request_"), WRITES)
def test_every_reference_has_at_most_100_characters(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    if "external_reference_id" not in request_["attributes"]:
        return
    given, _ = made(type_, method, request_, lambda name, _: name != WITHOUT.get((type_, method)))
    attrs.evolve(given, external_reference_id="ü" * 100)
    with pytest.raises(InvalidInput, match="external_reference_id has 101 characters"):
        attrs.evolve(given, external_reference_id="x" * 101)


@pytest.mark.parametrize(("type_", "method", "request_"), WRITES)
def test_a_callback_needs_url_and_method(
    type_: str, method: str, request_: Mapping[str, Any]
) -> None:
    if "callback_method" not in request_["attributes"]:
        return
    given, _ = made(type_, method, request_, lambda name, _: name != WITHOUT.get((type_, method)))
    for wrong in ({"callback_url": None}, {"callback_method": None}):
        with pytest.raises(InvalidInput, match="callback_"):
            attrs.evolve(given, **wrong)
    told = written(attrs.evolve(given, callback_method=CallbackMethod.POST))
    assert "post" == told["attributes"]["callback_method"]


def test_an_update_is_written_with_its_id() -> None:
    data = written(SharedCapacityGroupUpdate(dids=[]), id="g1")
    assert {
        "type": "shared_capacity_groups",
        "id": "g1",
        "relationships": {"dids": {"data": []}},
    } == data


# --- A configuration that was read, changed and sent back


def test_a_configuration_that_was_read_goes_back_whole_without_what_is_the_servers() -> None:
    came = part("trunk_configurations")
    came["attributes"] |= {
        "enabled_sip_registration": False,
        "use_did_in_ruri": False,
        "of_tomorrow": {"a": [1]},
    }
    came["attributes"]["rtp_timeout"] = ["not a number"]
    trunk = read(resource_object("voice_in_trunks", configuration=came))
    changed = trunk.configuration.replace(port=5061, host=None)
    sent = written(VoiceInTrunkUpdate(configuration=changed), id="t1")
    expected = {
        name: found
        for name, found in came["attributes"].items()
        if not name.startswith("incoming_auth_")
    }
    assert {
        "type": "sip_configurations",
        "attributes": expected | {"port": 5061, "host": None},
    } == sent["attributes"]["configuration"]


def test_every_writable_attribute_of_a_configuration_is_written_and_no_other() -> None:
    for name, classes in (
        ("trunk_configurations", (SipConfiguration, PstnConfiguration)),
        ("authentication_methods", (CredentialsAndIp, IpOnly, Twilio)),
    ):
        for cls in classes:
            fields = attrs.fields(cls)
            writable = {f.name for f in fields if f.name != "raw" and not is_read_only(f)}
            assert set(NESTED[name]["request"][cls.type]) == writable


def test_new_credentials_are_not_asked_for_by_sending_the_old_ones_back() -> None:
    came = part("authentication_methods", "credentials_and_ip")
    trunk = read(resource_object("voice_out_trunks", authentication_method=came))
    changed = trunk.authentication_method.replace(allowed_sip_ips=("198.51.100.7",))
    sent = written(VoiceOutTrunkUpdate(authentication_method=changed))
    assert {
        "allowed_sip_ips": ["198.51.100.7"],
        "tech_prefix": "tech_prefix of it",
    } == sent["attributes"]["authentication_method"]["attributes"]


def test_a_configuration_of_an_unknown_kind_goes_back_as_it_came() -> None:
    came = {"type": "iax_configurations", "attributes": {"host": "x", "port": 4569}}
    trunk = read(resource_object("voice_in_trunks", configuration=came))
    sent = written(VoiceInTrunkUpdate(configuration=trunk.configuration))
    assert came == sent["attributes"]["configuration"]


def test_codes_and_modes_are_written_as_the_api_spells_them() -> None:
    given = SipConfiguration(
        transport_protocol_id=TransportProtocol.TLS, media_encryption_mode=MediaEncryptionMode.ZRTP
    )
    sent = written(VoiceInTrunkCreate(name="n", configuration=given))["attributes"]
    assert {"transport_protocol_id": 3, "media_encryption_mode": "zrtp"} == (
        sent["configuration"]["attributes"]
    )


def test_the_filters_of_an_export_can_be_used_again() -> None:
    found = read(resource_object("exports")).filters
    sent = written(ExportCreate(export_type="cdr_in", filters=found))["attributes"]["filters"]
    assert resource_object("exports")["attributes"]["filters"] == sent


def test_a_part_that_there_is_not_cannot_be_changed() -> None:
    came = part("trunk_configurations", "pstn_configurations")
    trunk = read(resource_object("voice_in_trunks", configuration=came))
    with pytest.raises(InvalidInput, match="PstnConfiguration has no port"):
        trunk.configuration.replace(port=5061)


# --- As the older version has it


def test_the_authentication_of_an_outbound_trunk_is_among_its_attributes_in_2022() -> None:
    new = VoiceOutTrunkCreate(
        name="n", authentication_method=CredentialsAndIp(allowed_sip_ips=("203.0.113.5",))
    )
    sent = written(new, at="2022-05-10")["attributes"]
    assert {"name": "n", "allowed_sip_ips": ["203.0.113.5"]} == sent

    wire = resource_object("voice_out_trunks")
    del wire["attributes"]["authentication_method"]
    wire["attributes"] |= {"allowed_sip_ips": None, "username": "u", "password": "s3cret"}
    trunk = read(wire)
    assert CredentialsAndIp(allowed_sip_ips=None, username="u", password="s3cret") == (
        trunk.authentication_method
    )
    assert "s3cret" not in repr(trunk)
    changed = trunk.authentication_method.replace(allowed_sip_ips=("198.51.100.7",))
    sent = written(VoiceOutTrunkUpdate(authentication_method=changed), at="2022-05-10")
    assert {"allowed_sip_ips": ["198.51.100.7"]} == sent["attributes"]


def test_a_trunk_without_any_authentication_has_none_set() -> None:
    wire = resource_object("voice_out_trunks")
    del wire["attributes"]["authentication_method"]
    assert UNSET is read(wire).authentication_method


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (VoiceInTrunkUpdate(configuration=SipConfiguration(cnam_lookup=True)), "cnam"),
        (VoiceOutTrunkUpdate(authentication_method=Twilio(twilio_account_sid="AC1")), "twilio"),
        (VoiceOutTrunkUpdate(emergency_enable_all=False), "emergency_enable_all"),
    ],
)
def test_what_the_older_version_lacks_inside_a_part_is_refused(given: Input, told: str) -> None:
    with pytest.raises(NotInThisVersion, match=told):
        written(given, at="2022-05-10")
    assert given.type == written(given)["type"]


# --- Refused before anything is sent


def sip(**given: Any) -> VoiceInTrunkCreate:
    return VoiceInTrunkCreate(name="n", configuration=SipConfiguration(**given))


def out(**given: Any) -> VoiceOutTrunkCreate:
    return VoiceOutTrunkCreate(name="n", authentication_method=IpOnly(), **given)


def identity(**given: Any) -> IdentityCreate:
    whole = {
        "identity_type": "personal",
        "first_name": "A",
        "last_name": "B",
        "phone_number": "442071234567",
    }
    return IdentityCreate(**whole | given)


def span(from_: Any, to: Any) -> ExportCreate:
    return ExportCreate(export_type="cdr_in", filters=ExportFilters(from_=from_, to=to))


NOON = dt.datetime(2026, 4, 16, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: sip(port=0), "configuration.port is 1 to 65535, not 0"),
        (lambda: sip(port=65536), "configuration.port is 1 to 65535"),
        (lambda: sip(port="5060"), "configuration.port is a whole number or None, not '5060'"),
        (lambda: sip(auth_password=5), "configuration.auth_password is text or None, not int"),
        (
            lambda: sip(media_encryption_mode="srtp"),
            "configuration.media_encryption_mode is 'disabled' or 'srtp_sdes'",
        ),
        (
            lambda: sip(enabled_sip_registration=True, port=5060),
            "configuration.port must be None with enabled_sip_registration",
        ),
        (
            lambda: sip(enabled_sip_registration=True, host="sip.example.com"),
            "configuration.host must be None with enabled_sip_registration",
        ),
        (
            lambda: sip(enabled_sip_registration=False, use_did_in_ruri=True),
            "configuration.use_did_in_ruri needs enabled_sip_registration",
        ),
        (
            lambda: VoiceInTrunkUpdate(configuration=PstnConfiguration(dst="+44 20")),
            "configuration.dst is digits only",
        ),
        (
            lambda: VoiceInTrunkCreate(name="n", configuration={"type": "sip"}),  # type: ignore[arg-type]
            "configuration is SipConfiguration or PstnConfiguration",
        ),
        (lambda: out(allow_any_did_as_cli=True, dids=["d1"]), "dids can't be assigned"),
        (
            lambda: out(emergency_enable_all=True, emergency_dids=["d1"]),
            "emergency_dids can't be assigned",
        ),
        (lambda: out(threshold_amount=5.0), "threshold_amount is a finite Decimal, not 5.0"),
        (lambda: out(status="Active"), "status is 'active' or 'blocked', not 'Active'"),
        (lambda: identity(phone_number="+442071234567"), "phone_number is digits only"),
        (lambda: identity(identity_type="business"), "company_name is needed"),
        (lambda: identity(identity_type="any"), "identity_type is"),
        (lambda: identity(birth_date="1990-01-01"), "birth_date is a date or None"),
        (lambda: IdentityUpdate(phone_number="44 20"), "phone_number is digits only"),
        (
            lambda: AddressCreate(
                address="a", city_name="c", postal_code="p", identity="", country="c1"
            ),
            "identity is an id, not ''",
        ),
        (
            lambda: AddressCreate(
                address="a", city_name="c", postal_code=10115, identity="i", country="c1"  # type: ignore[arg-type]
            ),
            "postal_code is text, not 10115",
        ),
        (lambda: AddressRequirementValidationCreate(address_requirement="r1"), "identity, address"),
        (
            lambda: EmergencyRequirementValidationCreate(
                emergency_requirement="r1", identity=None, address=None
            ),
            "identity, address",
        ),
        (lambda: AddressVerificationCreate(address="a1", dids=[]), "dids needs at least one id"),
        (
            lambda: ProofCreate(proof_type="p1", entity="i1", files=["f1"]),  # type: ignore[arg-type]
            "entity is Identity or Address, not 'i1'",
        ),
        (
            lambda: ProofCreate(proof_type="p1", entity=Identity(id="i1"), files="f1"),
            "files is a list, each an id, not 'f1'",
        ),
        (lambda: EmergencyVerificationCreate(address="a1"), "give dids"),
        (
            lambda: EmergencyVerificationCreate(
                address="a1", dids=["d1"], emergency_calling_service="s1"
            ),
            "emergency_calling_service",
        ),
        (lambda: span(NOON, NOON), "filters.from_ must be before filters.to"),
        (lambda: span(NOON, dt.datetime(2026, 4, 16, 13)), "need their zone"),  # noqa: DTZ001
        (lambda: span("2026-04-01", NOON), "filters.from_ is a datetime, not '2026-04-01'"),
        (lambda: span(NOON, dt.date(2026, 5, 1)), "filters.to is a datetime, not date"),
        (
            lambda: ExportCreate(export_type="cdr_in", filters=ExportFilters(from_=NOON)),
            "filters.from_ and filters.to go together",
        ),
        (lambda: ExportCreate(export_type="cdr_in", filters=ExportFilters()), "filters needs"),
        (
            lambda: ExportCreate(export_type="cdr", filters=SPAN),  # type: ignore[arg-type]
            "export_type is 'cdr_in' or 'cdr_out', not 'cdr'",
        ),
        (
            lambda: DidUpdate(voice_in_trunk="t1", voice_in_trunk_group="g1"),
            "voice_in_trunk and voice_in_trunk_group",
        ),
        (
            lambda: AddressCreate(
                address="a",
                city_name="c",
                postal_code="p",
                identity=Identity(id="i1"),  # type: ignore[arg-type]
                country="c1",
            ),
            "identity is an id, not Identity: give its id, 'i1'",
        ),
        (lambda: AvailableDidOrderItem(sku_id="s", available_did_id=""), "available_did_id is"),
        (lambda: ReservedDidOrderItem(sku_id="s", did_reservation_id=""), "did_reservation_id is"),
        (lambda: CapacityOrderItem(capacity_pool_id="", qty=1), "capacity_pool_id is empty"),
        (lambda: VoiceInTrunkGroupUpdate(voice_in_trunks="t1"), "voice_in_trunks is a list"),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_naming_the_field(
    make: Callable[[], object], told: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        make()
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: sip(port=65535),
        lambda: sip(port=None, enabled_sip_registration=True, use_did_in_ruri=True),
        lambda: sip(media_encryption_mode=MediaEncryptionMode("of_tomorrow")),
        lambda: out(allow_any_did_as_cli=True, dids=[]),
        lambda: out(allow_any_did_as_cli=False, dids=["d1"]),
        lambda: identity(identity_type="business", company_name="C"),
        lambda: ProofCreate(proof_type="p1", entity=Address(id="a1"), files=("f1",)),
        lambda: PermanentSupportingDocumentUpdate(files=["f1"]),
        lambda: DidUpdate(voice_in_trunk=None, voice_in_trunk_group="g1"),
        lambda: DidUpdate(voice_in_trunk=None, voice_in_trunk_group=None),
        lambda: ExportCreate(
            export_type="cdr_out", filters=ExportFilters(others={"year": "2026", "month": "04"})
        ),
    ],
)
def test_what_can_be_right_is_written(make: Callable[[], Input]) -> None:
    assert make().type == written(make())["type"]
