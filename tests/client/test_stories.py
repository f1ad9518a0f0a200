"""The longer stories of the API, told by the client to the simulator in every version."""

import datetime as dt
from collections.abc import AsyncIterator

import attrs
import pytest

from didww_async import Client, Conflict, NotInThisVersion, ValidationFailed
from didww_async.resources import (
    AddressCreate,
    AddressRequirementValidationCreate,
    AddressVerificationCreate,
    CapacityOrderItem,
    CredentialsAndIp,
    Did,
    DidOrderItem,
    DidUpdate,
    EmergencyVerificationCreate,
    ExportCreate,
    ExportFilters,
    Identity,
    IdentityCreate,
    OrderCreate,
    ProofCreate,
    SharedCapacityGroupCreate,
    SipConfiguration,
    VoiceInTrunkCreate,
    VoiceInTrunkGroupCreate,
    VoiceOutTrunkCreate,
    VoiceOutTrunkRegenerateCredentialCreate,
)
from didww_async.simulator import Simulator
from didww_async.versions import VERSIONS


@attrs.frozen
class Told:
    sim: Simulator
    client: Client

    async def buy(self, iso: str, **wanted: object) -> list[Did]:
        """Buy two numbers of the first DID group in a country that has what is wanted."""
        country_id = await self.country(iso)
        groups = await self.client.did_groups.list(
            filter={"country.id": country_id, **wanted},  # type: ignore[typeddict-item]
            include=["stock_keeping_units"],
        )
        sku = next(iter(groups)).stock_keeping_units[0]
        item = DidOrderItem(sku_id=sku.id, qty=2)
        order = await self.client.orders.create(
            OrderCreate(items=[item], allow_back_ordering=False)
        )
        self.sim.complete(order.id)
        return list(await self.client.dids.list(filter={"order.id": order.id}))

    async def country(self, iso: str) -> str:
        [country] = await self.client.countries.list(filter={"iso": iso})
        return country.id

    async def person(self) -> Identity:
        return await self.client.identities.create(
            IdentityCreate(
                identity_type="personal",
                first_name="Ann",
                last_name="Smith",
                phone_number="4930123456",
                birth_date=dt.date(1990, 1, 31),
                id_number="X1",
            )
        )


@pytest.fixture(params=list(VERSIONS))
async def told(request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    version = request.param
    async with Simulator(
        rate_limit=None, completes_after=None, verified_after=None, balance=10_000
    ) as sim:
        token_url = sim.token_url if VERSIONS[version].credentials == "token" else None
        async with Client(
            api_key=sim.api_key, base_url=sim.base_url, api_version=version, token_url=token_url
        ) as client:
            yield Told(sim, client)


async def test_a_number_is_registered(told: Told) -> None:
    client, sim = told.client, told.sim
    dids = await told.buy("DE", needs_registration=True)
    assert all(did.awaiting_registration for did in dids)
    germany = await told.country("DE")
    identity = await told.person()
    address = await client.addresses.create(
        AddressCreate(
            address="Domplatz 1",
            city_name="Aachen",
            postal_code="52062",
            identity=identity.id,
            country=germany,
        )
    )
    did = await client.dids.get(dids[0].id, include=["did_group.address_requirement"])
    check = AddressRequirementValidationCreate(
        address_requirement=did.did_group.address_requirement.id,
        identity=identity.id,
        address=address.id,
    )
    with pytest.raises(ValidationFailed, match="proofs"):
        await client.address_requirement_validations.create(check)
    types = {row.name: row.id for row in await client.proof_types.list()}
    for entity, name in ((identity, "Passport"), (address, "Utility Bill")):
        file = await client.encrypted_files.upload(b"a scan")
        sim.files.rotate_keys()  # the next file is encrypted anew
        await client.proofs.create(
            ProofCreate(proof_type=types[name], entity=entity, files=[file.id])
        )
    await client.address_requirement_validations.create(check)
    verification = await client.address_verifications.create(
        AddressVerificationCreate(address=address.id, dids=[did.id for did in dids])
    )
    assert "pending" == verification.status
    sim.verifications.approve(verification.id)
    verification = await client.address_verifications.get(
        verification.id, include=["address.identity", "dids"]
    )
    assert "approved" == verification.status
    assert verification.address.identity.verified
    assert [False, False] == [did.awaiting_registration for did in verification.dids]
    with pytest.raises(Conflict):
        await client.identities.delete(identity.id)


async def test_calls_come_in_and_go_out(told: Told) -> None:
    client = told.client
    did, _ = await told.buy("GB", features=["voice_out"])
    trunk = await client.voice_in_trunks.create(
        VoiceInTrunkCreate(name="in", configuration=SipConfiguration(host="sip.example.com"))
    )
    assert isinstance(trunk.configuration, SipConfiguration)
    assert "sip.example.com" == trunk.configuration.host
    group = await client.voice_in_trunk_groups.create(
        VoiceInTrunkGroupCreate(name="all", voice_in_trunks=[trunk.id])
    )
    assert 1 == group.meta.trunks_count
    await client.dids.update(did.id, DidUpdate(voice_in_trunk=trunk.id))
    await client.voice_in_trunks.delete(trunk.id)
    did = await client.dids.get(did.id, include=["voice_in_trunk"])
    assert did.voice_in_trunk is None
    out = await client.voice_out_trunks.create(
        VoiceOutTrunkCreate(
            name="out",
            authentication_method=CredentialsAndIp(allowed_sip_ips=["203.0.113.7"]),
            on_cli_mismatch_action="reject_call",
            dids=[did.id],
        )
    )
    await client.voice_out_trunk_regenerate_credentials.create(
        VoiceOutTrunkRegenerateCredentialCreate(voice_out_trunk=out.id)
    )
    again = await client.voice_out_trunks.get(out.id, include=["dids"])
    before, after = out.authentication_method, again.authentication_method
    assert isinstance(before, CredentialsAndIp)
    assert isinstance(after, CredentialsAndIp)
    assert before.password != after.password
    assert "reject_call" == again.on_cli_mismatch_action
    assert [did.id] == [found.id for found in again.dids]


async def test_channels_are_bought_and_shared(told: Told) -> None:
    client = told.client
    dids = await told.buy("GB", allow_additional_channels=True, needs_registration=False)
    britain = await told.country("GB")
    [pool] = await client.capacity_pools.list(
        filter={"country.id": britain}, include=["qty_based_pricings"]
    )
    assert pool.qty_based_pricings
    order = await client.orders.create(
        OrderCreate(
            items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=10)], allow_back_ordering=False
        )
    )
    told.sim.complete(order.id)
    await client.shared_capacity_groups.create(
        SharedCapacityGroupCreate(
            name="shared",
            capacity_pool=pool.id,
            shared_channels_count=6,
            dids=[dids[0].id],
        )
    )
    alone = DidUpdate(capacity_pool=pool.id, dedicated_channels_count=4)
    await client.dids.update(dids[1].id, alone)
    pool = await client.capacity_pools.get(pool.id)
    assert (10, 10) == (pool.total_channels_count, pool.assigned_channels_count)


async def test_numbers_may_call_for_help(told: Told) -> None:
    client = told.client
    if client.api_version == "2022-05-10":
        with pytest.raises(NotInThisVersion):
            await client.emergency_requirements.list()
        return
    dids = await told.buy("US", features=["emergency"])
    address = await client.addresses.create(
        AddressCreate(
            address="Broadway 1",
            city_name="New York",
            postal_code="10004",
            identity=(await told.person()).id,
            country=await told.country("US"),
        )
    )
    verification = await client.emergency_verifications.create(
        EmergencyVerificationCreate(address=address.id, dids=[did.id for did in dids])
    )
    told.sim.verifications.approve(verification.id)
    [service] = await client.emergency_calling_services.list(include=["dids", "order"])
    assert "active" == service.status
    assert service.order.amount == service.meta.monthly_price
    assert [True, True] == [did.emergency_enabled for did in service.dids]
    await client.emergency_calling_services.delete(service.id)
    service = await client.emergency_calling_services.get(service.id, include=["dids"])
    assert ("canceled", None) == (service.status, service.renew_date)
    assert 2 == len(list(await client.did_history.list(filter={"action": "assigned"})))


async def test_calls_are_exported(told: Told) -> None:
    client = told.client
    numbers = {did.number for did in await told.buy("GB", needs_registration=False)}
    now = dt.datetime.now(dt.UTC)
    span = ExportFilters(from_=now - dt.timedelta(days=20), to=now - dt.timedelta(days=1))
    export = await client.exports.create(ExportCreate(export_type="cdr_in", filters=span))
    assert ("pending", None) == (export.status, export.url)
    export = await client.exports.wait(export.id, every=0.05)
    assert numbers == {row["DID"] async for row in client.exports.rows(export)}
