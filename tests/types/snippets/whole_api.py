"""Results, inputs and queries of the rest of the API have the types that are documented."""

from datetime import date, datetime
from decimal import Decimal
from typing import assert_type

from didww_async import Client, Page
from didww_async.resources import (
    Address,
    AddressRequirement,
    AddressRequirementValidationCreate,
    AddressUpdate,
    AddressVerification,
    CapacityPool,
    CapacityPoolUpdate,
    Country,
    CredentialsAndIp,
    Did,
    DidHistory,
    DidUpdate,
    EmergencyCallingService,
    Export,
    ExportUpdate,
    Identity,
    IdentityCreate,
    Pop,
    Proof,
    ProofCreate,
    PstnConfiguration,
    PublicKey,
    QtyBasedPricing,
    SharedCapacityGroup,
    SharedCapacityGroupCreate,
    SipConfiguration,
    UnknownNested,
    VoiceInTrunk,
    VoiceInTrunkCreate,
    VoiceInTrunkGroup,
    VoiceInTrunkUpdate,
    VoiceOutTrunkCreate,
    VoiceOutTrunkRegenerateCredential,
    VoiceOutTrunkRegenerateCredentialCreate,
)

PSTN = PstnConfiguration(dst="12125550100")


async def reading(client: Client) -> None:
    assert_type(await client.pops.list(), Page[Pop])
    assert_type(await client.public_keys.list(), Page[PublicKey])
    assert_type([entry async for entry in client.did_history.iterate()], list[DidHistory])
    assert_type(await client.voice_in_trunks.get("id"), VoiceInTrunk)
    assert_type(await client.exports.first(sort="-created_at"), Export | None)
    assert_type(await client.emergency_calling_services.get("id"), EmergencyCallingService)


async def writing(client: Client) -> None:
    trunk = await client.voice_in_trunks.create(VoiceInTrunkCreate(name="t", configuration=PSTN))
    assert_type(trunk, VoiceInTrunk)
    changed = await client.capacity_pools.update("id", CapacityPoolUpdate(total_channels_count=5))
    assert_type(changed, CapacityPool)
    regenerated = await client.voice_out_trunk_regenerate_credentials.create(
        VoiceOutTrunkRegenerateCredentialCreate(voice_out_trunk="id")
    )
    assert_type(regenerated, VoiceOutTrunkRegenerateCredential)
    assert_type(await client.identities.delete("id"), None)


def linked(did: Did, pool: CapacityPool, address: Address, proof: Proof) -> None:
    assert_type(did.voice_in_trunk, VoiceInTrunk | None)
    assert_type(did.voice_in_trunk_group, VoiceInTrunkGroup | None)
    assert_type(did.address_verification, AddressVerification | None)
    assert_type(did.emergency_calling_service, EmergencyCallingService | None)
    assert_type(did.identity, Identity | None)
    assert_type(pool.countries, tuple[Country, ...])
    assert_type(pool.qty_based_pricings, tuple[QtyBasedPricing, ...])
    assert_type(pool.shared_capacity_groups, tuple[SharedCapacityGroup, ...])
    assert_type(pool.monthly_price, Decimal)
    assert_type(pool.renew_date, date)
    assert_type(address.proofs, tuple[Proof, ...])
    assert_type(proof.entity, Identity | Address | None)
    assert_type(proof.created_at, datetime)


def parts(trunk: VoiceInTrunk, requirement: AddressRequirement) -> None:
    assert_type(trunk.configuration, SipConfiguration | PstnConfiguration | UnknownNested)
    if isinstance(trunk.configuration, SipConfiguration):
        assert_type(trunk.configuration.host, str | None)
    assert_type(requirement.country, Country | None)
    requirement.personal_proof_qty + 1
    trunk.configuration.host  # E: has no attribute "host"  # noqa: B018


async def asking(client: Client) -> None:
    await client.voice_in_trunks.list(include=["pop", "voice_in_trunk_group"], sort="-priority")
    await client.identities.list(filter={"last_name_contains": "Smith", "country.id": ["a", "b"]})
    await client.pops.list(sort="name")  # E: incompatible type
    await client.pops.list(include="countries")  # E: incompatible type
    await client.identities.list(filter={"last_nam": "Smith"})  # E: expected "IdentityFilter
    await client.emergency_requirements.list(sort="created_at")  # E: incompatible type
    await client.exports.list(include="orders")  # E: incompatible type
    await client.exports.list(filter={"export_type": "cdr_in"})  # E: expected "ExportFilter
    await client.public_keys.list(filter={"keys": "x"})  # E: expected "PublicKeyFilter


async def what_does_not_fit(client: Client) -> None:
    await client.addresses.create(AddressUpdate())  # E: incompatible type "AddressUpdate"
    await client.dids.update("id", CapacityPoolUpdate())  # E: incompatible type
    await client.voice_in_trunks.create({"name": "t"})  # E: incompatible type
    await client.identities.delete()  # E: Missing positional argument "id"
    await client.balance.get("id")  # E: Too many positional arguments
    VoiceInTrunkCreate(name="t")  # E: Missing named argument "configuration"
    VoiceInTrunkCreate(name="t", configuration="sip:x")  # E: incompatible type "str"
    VoiceInTrunkCreate(name="t", configuration=CredentialsAndIp())  # E: incompatible type
    VoiceOutTrunkCreate(name="t", authentication_method=PSTN)  # E: incompatible type
    VoiceInTrunkUpdate(priority=None)  # E: incompatible type "None"
    VoiceInTrunkUpdate(priorty=1)  # E: Unexpected keyword argument "priorty"
    SharedCapacityGroupCreate(name="g")  # E: Missing named argument "capacity_pool"
    IdentityCreate(first_name="A")  # E: Missing named argument "identity_type"
    ProofCreate(proof_type="p", files=["f"], entity="id")  # E: incompatible type "str"
    ProofCreate(proof_type="p", files=["f"], entity=Identity(id="i"))
    AddressRequirementValidationCreate(identity="i")  # E: Missing named argument
    ExportUpdate()  # E: Missing named argument "external_reference_id"
    DidUpdate(voice_in_trunk=None, voice_in_trunk_group="g")
    DidUpdate(voice_in_trunk=VoiceInTrunk(id="t"))  # E: incompatible type "VoiceInTrunk"
