"""Every spelling of every API version, written and read; what a version lacks is refused here."""

import itertools
import typing
from typing import Any, ClassVar

import pytest
from contract import RESOURCES
from resources.samples import input_class as input_class_of
from resources.samples import names, resource_class

from didww_async import Client, NotInThisVersion
from didww_async.channel import open_channel
from didww_async.related import RELATED
from didww_async.resources import (
    Address,
    AddressRequirementValidationCreate,
    DidGroup,
    DidReservation,
    NumberType,
    OrderStatus,
    OrderUpdate,
    ProofCreate,
    SipConfiguration,
    VoiceInTrunkCreate,
)
from didww_async.resources.base import Nested, fields_of, is_relationship, value, wire_name
from didww_async.resources.inputs import Input
from didww_async.simulator import Simulator
from didww_async.simulator.resources import TABLE, edition
from didww_async.versions import VERSIONS, version
from didww_async.wire.document import Document
from didww_async.wire.writing import to_wire
from tests.client.examples import examples, last_reply
from tests.client.servers import Server, client_of, document, reply, talking, thing

OLD, USUAL, BEARER = VERSIONS
SEEDS = ("buy_available_did_numbers.txt", "get_available_did.txt")
FORM = "encrypted_files form"
NOWHERE = "http://127.0.0.1:9/token"
ALL = list(VERSIONS.values())


PARTS = {
    found.type: found
    for found in names().values()
    if isinstance(found, type) and issubclass(found, Nested) and found.type
}


def entries(table: str) -> list[Any]:
    """A table's entries in all versions, as test parameters."""
    return [
        pytest.param(spelling.date, key, found, id=f"{spelling.date}-{key}")
        for spelling in ALL
        for key, found in getattr(spelling, table).items()
    ]


def read(date: str, *data: Any, included: tuple[Any, ...] = ()) -> list[Any]:
    """What a client of a version makes of resource objects."""
    channel = open_channel(sender=typing.cast("Any", None), version=version(date))
    return channel.linker.many(Document(data=list(data), included=included))


def asked(date: str, type_: str, **query: Any) -> dict[str, str]:
    return dict(version(date).query(type_, **query))


# -- types and paths


@pytest.mark.parametrize(("date", "ours", "theirs"), entries("types"))
def test_a_renamed_type_is_written_and_read(date: str, ours: str, theirs: str) -> None:
    assert theirs == version(date).type_name(ours) == version(date).path(ours)
    assert f"{theirs}/id-1" == version(date).path(f"{ours}/id-1")
    assert {f"fields[{theirs}]": "id"} == asked(date, ours, fields={ours: ("id",)})
    for spoken in VERSIONS:  # whatever was asked for: the server may serve another version
        for type_ in (ours, theirs):
            assert isinstance(read(spoken, thing(type_, "1"))[0], resource_class(ours))


async def test_renamed_paths_types_and_linkage_on_the_wire() -> None:
    made = document(thing("requirement_validations", "1"))
    async with talking(reply(made, status=201), api_version=OLD) as (client, server):
        given = AddressRequirementValidationCreate(address_requirement="r-1", identity="i-1")
        await client.address_requirement_validations.create(given)
        assert "/v3/requirement_validations" == server.last.path
        assert {
            "data": {
                "type": "requirement_validations",
                "relationships": {
                    "requirement": {"data": {"type": "requirements", "id": "r-1"}},
                    "identity": {"data": {"type": "identities", "id": "i-1"}},
                },
            }
        } == server.last.json
    one = document(thing("requirements", "r-1", identity_type="Personal"))
    async with talking(reply(one), api_version=OLD) as (client, server):
        found = await client.address_requirements.get("r-1")
        assert ("r-1", "personal") == (found.id, found.identity_type)
        assert "/v3/requirements/r-1" == server.last.path


@pytest.mark.parametrize(("date", "ours", "instead"), entries("lacks_types"))
async def test_a_missing_type_is_refused_before_anything_is_sent(
    date: str, ours: str, instead: str
) -> None:
    if ours in PARTS:
        with pytest.raises(NotInThisVersion, match=instead):
            version(date).type_name(ours)
        return
    async with Server(reply(document([]))) as server:
        async with client_of(server, api_version=date, token_url=NOWHERE) as client:
            collection = getattr(client, ours)
            for operation, arguments in (
                ("list", ()),
                ("get", ("1",)),
                ("delete", ("1",)),
                ("create", (_input_of(ours),)),
            ):
                if not hasattr(collection, operation):
                    continue
                with pytest.raises(NotInThisVersion) as caught:
                    await getattr(collection, operation)(*arguments)
                assert f"{ours} is not in API version {date}" in str(caught.value)
                assert instead in str(caught.value)
        assert [] == server.requests


def _input_of(type_: str) -> Any:
    """An input of a type, with nothing in it: it is refused for its type."""

    @value
    class Given(Input):
        type: ClassVar[str] = type_

    return Given()


# -- names


@pytest.mark.parametrize(("date", "key", "theirs"), entries("names"))
def test_a_renamed_name_is_written_wherever_it_stands(
    date: str, key: tuple[str, str], theirs: str
) -> None:
    type_, ours = key
    spelled = version(date).type_name(type_)
    assert {"sort": f"-{theirs}"} == asked(date, type_, sort=(f"-{ours}",))
    assert {"include": theirs} == asked(date, type_, include=(ours,))
    assert {f"filter[{theirs}]": "1"} == asked(date, type_, filter={ours: 1})
    assert {f"fields[{spelled}]": theirs} == asked(date, type_, fields={type_: (ours,)})
    assert {"sort": ours} == asked(USUAL, type_, sort=(ours,))


@pytest.mark.parametrize(("date", "key", "theirs"), entries("names"))
@pytest.mark.parametrize("spoken", VERSIONS)
def test_a_renamed_name_is_read_whatever_version_is_spoken(
    date: str, key: tuple[str, str], theirs: str, spoken: str
) -> None:
    type_, ours = key
    if type_ == FORM:
        return  # written only: tests/resources/test_uploading.py
    fields = {wire_name(field): field for field in fields_of(resource_class(type_))}
    if ours not in fields:  # a validation's relationships are written only
        assert type_ == "address_requirement_validations"
        return
    for spelled in (ours, theirs):
        if is_relationship(fields[ours]):
            target = RESOURCES[type_]["relationships"][ours]["types"][0]
            linkage = {"data": {"type": version(date).type_name(target), "id": "x"}}
            wire = {"type": type_, "id": "1", "relationships": {spelled: linkage}}
            [found] = read(spoken, wire)
            assert "x" == getattr(found, ours).id
            assert isinstance(getattr(found, ours), resource_class(target))
        else:
            [found] = read(spoken, thing(type_, "1", **{spelled: "2026-01-02 03:04:05"}))
            assert 2026 == getattr(found, ours).year


@pytest.mark.parametrize(("date", "key", "instead"), entries("lacks"))
def test_a_missing_name_is_refused_and_says_what_to_use(
    date: str, key: tuple[str, str], instead: str
) -> None:
    type_, ours = key
    queries: list[dict[str, Any]] = [
        {"sort": (f"-{ours}",)},
        {"filter": {ours: "1"}},
        {"fields": {type_: (ours,)}},
    ]
    if "." not in ours:
        queries.append({"include": (ours,)})
    for query in queries:
        with pytest.raises(NotInThisVersion) as caught:
            asked(date, type_, **query)
        assert f"{ours!r} of {type_} is not in API version {date}" in str(caught.value)
        assert instead in str(caught.value)


async def test_what_is_missing_is_refused_before_anything_is_sent() -> None:
    async with Server(reply(document([]))) as server, client_of(server, api_version=OLD) as old:
        with pytest.raises(NotInThisVersion, match="external_reference_id"):
            await old.orders.update("1", OrderUpdate(external_reference_id="mine"))
        with pytest.raises(NotInThisVersion, match="did_group_type"):
            await old.did_groups.list(filter={"number_type": "local"})
        with pytest.raises(NotInThisVersion, match="emergency_enabled"):
            await old.dids.list(filter={"emergency_enabled": True})
        newest = client_of(server, api_version=BEARER, token_url=NOWHERE)
        async with newest:
            with pytest.raises(NotInThisVersion, match="number_type"):
                await newest.did_groups.list(filter={"did_group_type.id": "x"})
            with pytest.raises(NotInThisVersion, match="number_type"):
                await newest.available_dids.list(include="did_group.did_group_type")
            with pytest.raises(NotInThisVersion, match="number_type"):
                await newest.did_group_types.list()
    assert [] == server.requests


@pytest.mark.parametrize(
    ("date", "path", "expected"),
    [
        (OLD, "did_group.address_requirement", "did_group.requirement"),
        (OLD, "available_did.did_group.address_requirement", None),
        (USUAL, "did_group.address_requirement", "did_group.address_requirement"),
        (BEARER, "did_group.stock_keeping_units", "did_group.stock_keeping_units"),
        (BEARER, "did_group.city.region", "did_group.city.region"),
        (BEARER, "did_group.something_new.else", "did_group.something_new.else"),
    ],
)
def test_each_part_of_an_include_is_spelled_by_its_own_type(
    date: str, path: str, expected: str | None
) -> None:
    if expected is None:  # one level deeper
        assert {"include": "available_did.did_group.requirement"} == asked(
            date, "did_reservations", include=(path,)
        )
    else:
        assert {"include": expected} == asked(date, "available_dids", include=(path,))


@pytest.mark.parametrize(
    ("date", "type_", "path"),
    [
        (BEARER, "available_dids", "did_group.did_group_type"),
        (BEARER, "did_reservations", "available_did.did_group.did_group_type"),
        (BEARER, "dids", "did_group.did_group_type"),
        (OLD, "address_verifications", "dids.identity"),
        (OLD, "shared_capacity_groups", "dids.emergency_verification"),
    ],
)
def test_a_missing_name_is_found_inside_an_include(date: str, type_: str, path: str) -> None:
    with pytest.raises(NotInThisVersion):
        asked(date, type_, include=(path,))


# -- values


def spelled_values() -> list[Any]:
    return [
        pytest.param(spelling.date, type_, name, ours, theirs, id=f"{type_}.{name}-{theirs}")
        for spelling in ALL
        for (type_, name), values in spelling.values.items()
        for ours, theirs in values.items()
    ]


@pytest.mark.parametrize(("date", "type_", "name", "ours", "theirs"), spelled_values())
def test_a_value_is_written_in_the_versions_words_and_read_in_ours(
    date: str, type_: str, name: str, ours: str, theirs: str
) -> None:
    assert {f"filter[{name}]": theirs} == asked(date, type_, filter={name: ours})
    assert {f"filter[{name}]": ours} == asked(USUAL, type_, filter={name: ours})
    for spoken, spelled in itertools.product(VERSIONS, (ours, theirs)):
        [found] = read(spoken, thing(type_, "1", **{name: spelled}))
        assert ours == getattr(found, name)
        assert getattr(found, name).is_known
        assert spelled == found.raw["attributes"][name]


def test_several_values_at_once_and_values_that_are_not_known() -> None:
    for given, written in (
        (("pending", OrderStatus.COMPLETED), "Pending,Completed"),
        ("pending, completed", "Pending,Completed"),
        (OrderStatus("Canceled"), "Canceled"),
        ("frozen", "frozen"),
        (7, "7"),
    ):
        assert {"filter[status]": written} == asked(OLD, "orders", filter={"status": given})


def test_sms_out_is_a_feature_of_the_oldest_version_only() -> None:
    for type_, name in (("did_groups", "features"), ("available_dids", "did_group.features")):
        for given in ("sms_out", "voice_in,sms_out", ("voice_in", "sms_out")):
            assert "sms_out" in asked(OLD, type_, filter={name: given})[f"filter[{name}]"]
            for date in (USUAL, BEARER):
                with pytest.raises(NotInThisVersion, match=r"'sms_out'.*2022-05-10"):
                    asked(date, type_, filter={name: given})


def test_reject_reasons_are_a_tuple_however_they_come() -> None:
    for came, expected in (
        ("Blurred scan", ("Blurred scan",)),
        (["Blurred scan", "Wrong city"], ("Blurred scan", "Wrong city")),
        (None, None),
    ):
        [found] = read(OLD, thing("address_verifications", "1", reject_reasons=came))
        assert expected == found.reject_reasons


# -- there and back


def back(date: str, resource: Any) -> dict[str, Any]:
    """A resource as a resource object again."""
    channel = open_channel(sender=typing.cast("Any", None), version=version(date))
    return to_wire(
        resource, linker=channel.linker, converter=channel.converter, version=version(date)
    )


def seed_objects() -> list[Any]:
    """Every resource object of every reply in the seed documents."""
    replies = [one.reply for name in SEEDS for one in examples(name)]
    replies.append(last_reply("get_did_groups.txt"))
    objects = []
    for found in replies:
        data = found["data"]
        objects += [*(data if isinstance(data, list) else [data]), *found.get("included", ())]
    return [pytest.param(one, id=f"{one['type']}-{number}") for number, one in enumerate(objects)]


@pytest.mark.parametrize("came", seed_objects())
def test_every_object_of_the_seed_documents_goes_there_and_back(came: dict[str, Any]) -> None:
    for spoken in VERSIONS:
        [found] = read(spoken, came)
        assert type(found) is resource_class(came["type"])
        assert came == back(spoken, found)


@pytest.mark.parametrize(("date", "type_", "name", "ours", "theirs"), spelled_values())
def test_every_spelling_of_a_value_goes_there_and_back(
    date: str, type_: str, name: str, ours: str, theirs: str
) -> None:
    for spoken, spelled in itertools.product(VERSIONS, (ours, theirs)):
        came = thing(version(date).type_name(type_), "1", **{name: spelled})
        [found] = read(spoken, came)
        assert came == back(spoken, found)
    # What never came from a server is written as the version asked for spells it.
    [found] = read(USUAL, thing(type_, "1", **{name: ours}))
    new = type(found)(id="1", **{name: getattr(found, name)})
    assert {name: theirs} == back(date, new)["attributes"]
    assert {name: ours} == back(USUAL, new)["attributes"]


@pytest.mark.parametrize("spoken", VERSIONS)
def test_every_spelling_of_a_name_goes_there_and_back(spoken: str) -> None:
    moment = "2026-01-02T03:04:05.000Z"
    for name in ("expire_at", "expires_at"):
        came = thing("did_reservations", "1", **{name: moment})
        [found] = read(spoken, came)
        assert came == back(spoken, found)
    [found] = read(spoken, thing("did_reservations", "1", expires_at=moment))
    new = DidReservation(id="1", expires_at=found.expires_at)
    assert [version(spoken).name("did_reservations", "expires_at")] == list(
        back(spoken, new)["attributes"]
    )


# -- number types


def test_a_group_tells_its_kind_of_number_in_every_version() -> None:
    linkage = {"did_group_type": {"data": {"type": "did_group_types", "id": "t"}}}
    for name, kind in (
        ("Local", NumberType.LOCAL),
        ("Toll-free", NumberType.TOLL_FREE),
        ("Shared Cost", NumberType.SHARED_COST),
        ("Satellite", "Satellite"),
    ):
        [old] = read(
            USUAL,
            thing("did_groups", "1") | {"relationships": linkage},
            included=(thing("did_group_types", "t", name=name),),
        )
        assert kind == old.kind_of_number
    [new] = read(BEARER, thing("did_groups", "1", number_type="toll_free"))
    assert NumberType.TOLL_FREE is new.number_type is new.kind_of_number
    for silent in (DidGroup(id="1"), *read(USUAL, thing("did_groups", "1"))):
        assert silent.kind_of_number is None


# -- the tables are about things that exist


def known_names(type_: str) -> set[str]:
    if type_ in PARTS:
        return {wire_name(field) for field in fields_of(PARTS[type_])}
    cls, found = resource_class(type_), names()
    known = {wire_name(field) for field in fields_of(cls)}
    known |= set(typing.get_type_hints(found.get(f"{cls.__name__}Filter", object)))
    known |= {sort.removeprefix("-") for sort in typing.get_args(found.get(f"{cls.__name__}Sort"))}
    for method in ("POST", "PATCH"):
        try:
            known |= {wire_name(field) for field in fields_of(input_class_of(type_, method))}
        except (KeyError, AttributeError):
            continue
    return known


@pytest.mark.parametrize("date", VERSIONS)
def test_tables_name_only_what_the_library_has(date: str) -> None:
    spelling = version(date)
    keyed = (spelling.names, spelling.values, spelling.lacks, spelling.lacks_values)
    for type_, name in itertools.chain(*keyed):
        if type_ == FORM:
            continue
        assert name in known_names(type_), (type_, name)
    for type_ in itertools.chain(spelling.types, spelling.lacks_types):
        assert type_ in RESOURCES or type_ in PARTS


def test_relationships_lead_where_the_contract_says() -> None:
    told = {
        (type_, name): one["types"][0]
        for type_, spec in RESOURCES.items()
        for name, one in (spec["relationships"] or {}).items()
        if len(one["types"]) == 1
    }
    assert told == RELATED


async def test_a_proofs_entity_is_linked_by_the_type_of_what_is_given() -> None:
    made = reply(document(thing("proofs", "1")), status=201)
    async with talking(made, api_version=OLD) as (client, server):
        await client.proofs.create(
            ProofCreate(proof_type="t", entity=Address(id="a"), files=("f",))
        )
        linked = server.last.json["data"]["relationships"]["entity"]
    assert {"data": {"type": "addresses", "id": "a"}} == linked


async def test_what_a_version_lacks_is_found_inside_a_trunks_configuration() -> None:
    made = reply(document(thing("voice_in_trunks", "1")), status=201)
    async with talking(made, api_version=OLD) as (client, server):
        plain = SipConfiguration(host="example.com", media_encryption_mode="zrtp")
        await client.voice_in_trunks.create(VoiceInTrunkCreate(name="a", configuration=plain))
        assert {"host": "example.com", "media_encryption_mode": "zrtp"} == (
            server.last.json["data"]["attributes"]["configuration"]["attributes"]
        )
        new = SipConfiguration(host="example.com", cnam_lookup=True)
        with pytest.raises(NotInThisVersion, match="'cnam_lookup' of sip_configurations"):
            await client.voice_in_trunks.create(VoiceInTrunkCreate(name="a", configuration=new))
    assert 1 == len(server.requests)


# -- the simulator, which was written from the facts by itself, agrees


NOT_IN_REPLIES = {"encryption_fingerprint", "file"}  # of the form that uploads a file
SIMULATED = {resource.type for resource in TABLE}


@pytest.mark.parametrize("date", VERSIONS)
@pytest.mark.parametrize("type_", RESOURCES)
def test_the_simulator_spells_alike(date: str, type_: str) -> None:
    spelling, here = version(date), edition(date).by_type
    if type_ not in SIMULATED:
        pytest.skip("not simulated yet")
    if type_ in spelling.lacks_types:
        assert type_ not in here
        return
    there = here[spelling.type_name(type_)]
    served = {
        *(entry.name for entry in there.attributes),
        *there.relationship_named,
        *there.filter_named,
        *there.sort_named,
        *(entry.name for entry in (*there.creates, *there.updates)),
    }
    for name in sorted(known_names(type_) - {"id", "meta", "raw"} - NOT_IN_REPLIES):
        try:
            spelled = spelling.name(type_, name)
        except NotInThisVersion:
            assert name not in served, f"{name} is in {date}"
        else:
            if (type_, name) in spelling.unfolds:
                continue  # its parts stand among the resource's own attributes
            assert spelled in served, f"{name} is not in {date}"


@pytest.mark.parametrize("date", VERSIONS)
async def test_a_client_of_each_version_reads_what_the_simulator_serves(date: str) -> None:
    async with (
        Simulator() as sim,
        Client(
            api_key=sim.api_key,
            base_url=sim.base_url,
            token_url=sim.token_url,
            api_version=date,
        ) as client,
    ):
        groups = await client.did_groups.list(
            filter={"is_available": True},
            include=() if date == BEARER else "did_group_type",
            sort="number_type" if date == BEARER else "did_group_type.name",
            page_size=1,
        )
        assert date == groups.meta["api_version"]
        assert groups[0].kind_of_number is not None
        assert groups[0].kind_of_number.is_known
