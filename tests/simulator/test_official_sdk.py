"""DIDWW's own Python SDK buys from the simulator: what it can read is what the real API sends."""

import asyncio
import time

import pytest
import requests
from didww.client import DidwwClient
from didww.encrypt import Encrypt
from didww.enums import ExportType, IdentityType, OrderStatus
from didww.exceptions import DidwwApiError
from didww.query_params import QueryParams
from didww.resources.address import Address
from didww.resources.address_requirement import AddressRequirement
from didww.resources.address_requirement_validation import AddressRequirementValidation
from didww.resources.address_verification import AddressVerification
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.did_reservation import DidReservation
from didww.resources.encrypted_file import EncryptedFile
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem
from didww.resources.proof import Proof
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_out_trunk import VoiceOutTrunk
from didww.resources.voice_out_trunk_regenerate_credential import (
    VoiceOutTrunkRegenerateCredential,
)

from didww_async.simulator import Simulator

SELECT_GROUP_ID = "916c8f4d-2108-4d79-853b-7c545ee83f8c"


def bought(client, item, reference):
    """Place an order and wait until it is completed."""
    order = Order()
    order.items = [item]
    order.allow_back_ordering = False
    order.external_reference_id = reference
    placed = client.orders().create(order).data
    assert placed.status == OrderStatus.PENDING
    for _ in range(100):
        found = client.orders().find(placed.id).data
        if found.is_completed:
            return found
        time.sleep(0.02)
    raise AssertionError("the order did not complete")


def buy_in_new_york(client):
    """Go the documented way: country, city, DID groups with SKUs, order, numbers."""
    [country] = client.countries().list(QueryParams().filter("iso", "US")).data
    cities = QueryParams().filter("country.id", country.id).filter("name", "New York")
    [city] = client.cities().list(cities).data
    query = QueryParams().filter("city.id", city.id).include("stock_keeping_units", "country")
    groups = client.did_groups().list(query).data
    group = next(group for group in groups if group.id == SELECT_GROUP_ID)
    assert group.country.iso == "US"
    cheapest = min(group.stock_keeping_units, key=lambda sku: float(sku.monthly_price))
    item = DidOrderItem()
    item.sku_id, item.qty = cheapest.id, 2
    order = bought(client, item, "sdk-1")
    assert order.items[0].mrc == "0.09"
    numbers = client.dids().list(QueryParams().filter("order.id", order.id).include("order")).data
    assert {number.order.reference for number in numbers} == {order.reference}
    return [number.number for number in numbers]


def buy_a_reserved_number(client):
    query = QueryParams().filter("did_group.id", SELECT_GROUP_ID)
    available = client.available_dids().list(query.include("did_group.stock_keeping_units")).data[0]
    reservation = DidReservation()
    reservation.description = "held"
    reservation.available_did = available
    held = client.did_reservations().create(reservation).data
    item = ReservationDidOrderItem()
    item.sku_id = available.did_group.stock_keeping_units[0].id
    item.did_reservation_id = held.id
    order = bought(client, item, "sdk-2")
    [did] = client.dids().list(QueryParams().filter("order.id", order.id)).data
    return available.number, did.number


def with_client(sim, work):
    with requests.Session() as session:
        client = DidwwClient(sim.api_key, base_url=sim.base_url, session=session)
        try:
            return work(client)
        finally:
            client._session.close()


async def test_a_purchase():
    async with Simulator(rate_limit=None, completes_after=0.05) as sim:
        numbers = await asyncio.to_thread(with_client, sim, buy_in_new_york)
        assert len(set(numbers)) == 2
        assert all(number.startswith("1212") for number in numbers)
        assert sim.orders[0].external_reference_id == "sdk-1"


async def test_a_purchase_of_a_reserved_number():
    async with Simulator(rate_limit=None, completes_after=0.05) as sim:
        reserved, delivered = await asyncio.to_thread(with_client, sim, buy_a_reserved_number)
        assert reserved == delivered


async def test_errors_are_read():
    def order_too_much(client):
        item = DidOrderItem()
        item.sku_id, item.qty = "af589936-3e8d-498c-b127-8054ef026dfa", 500
        return bought(client, item, "sdk-3")

    async with Simulator(rate_limit=None) as sim:
        with pytest.raises(DidwwApiError) as caught:
            await asyncio.to_thread(with_client, sim, order_too_much)
        assert caught.value.status_code == 422


async def test_the_balance_and_the_types():
    def look(client):
        return client.balance().find().data, client.did_group_types().list().data

    async with Simulator(rate_limit=None) as sim:
        balance, types = await asyncio.to_thread(with_client, sim, look)
        assert balance.total_balance == "1000.00"
        assert "Local" in {type_.name for type_ in types}


def uploaded(client):
    keys = [row.key for row in client.public_keys().list().data]
    file_id = client.upload_encrypted_file(
        Encrypt.calculate_fingerprint(keys), Encrypt.encrypt_with_keys(b"a scan", keys), "scan"
    )
    file = client.encrypted_files().find(file_id).data
    assert "scan" == file.description
    return EncryptedFile.build(file_id)


def proven(client, entity, proof_type_name):
    proof = Proof()
    types = client.proof_types().list().data
    proof.proof_type = next(row for row in types if row.name == proof_type_name)
    proof.entity, proof.files = entity, [uploaded(client)]
    return client.proofs().create(proof).data


def registered(client):
    """Buy a number in Germany, and hand in what its registration needs."""
    [country] = client.countries().list(QueryParams().filter("iso", "DE")).data
    query = QueryParams().filter("country.id", country.id).filter("needs_registration", "true")
    query = query.include("stock_keeping_units", "address_requirement").page(1, 1)
    group = client.did_groups().list(query).data[0]
    item = DidOrderItem()
    item.sku_id, item.qty = group.stock_keeping_units[0].id, 1
    order = bought(client, item, "sdk-4")
    [did] = client.dids().list(QueryParams().filter("order.id", order.id)).data
    assert did.awaiting_registration

    identity = Identity()
    identity.identity_type = IdentityType.PERSONAL
    identity.first_name, identity.last_name, identity.phone_number = "Ann", "Smith", "491"
    identity.birth_date, identity.id_number, identity.country = "1990-01-31", "X1", country
    identity = client.identities().create(identity).data
    address = Address()
    address.address, address.city_name, address.postal_code = "Domplatz 1", "Aachen", "52062"
    address.identity, address.country = identity, country
    address = client.addresses().create(address).data

    validation = AddressRequirementValidation()
    validation.address_requirement = AddressRequirement.build(group.address_requirement.id)
    validation.identity, validation.address = identity, address
    with pytest.raises(DidwwApiError) as caught:
        client.address_requirement_validations().create(validation)
    assert 422 == caught.value.status_code
    proven(client, identity, "Passport")
    proven(client, address, "Utility Bill")
    client.address_requirement_validations().create(validation)

    verification = AddressVerification()
    verification.address, verification.dids = address, [did]
    verification = client.address_verifications().create(verification).data
    for _ in range(100):
        if client.address_verifications().find(verification.id).data.is_approved:
            return client.dids().find(did.id).data.awaiting_registration
        time.sleep(0.02)
    raise AssertionError("the address was not approved")


async def test_a_registration():
    async with Simulator(rate_limit=None, completes_after=0.05, verified_after=0.05) as sim:
        assert not await asyncio.to_thread(with_client, sim, registered)


async def test_trunks():
    def make(client):
        trunk = VoiceInTrunk()
        configuration = SipConfiguration()
        configuration.host = "sip.example.com"
        trunk.name, trunk.configuration = "in", configuration
        made = client.voice_in_trunks().create(trunk).data
        out = VoiceOutTrunk()
        out.name = "out"
        out.authentication_method = CredentialsAndIpAuthenticationMethod(
            allowed_sip_ips=["203.0.113.7"]
        )
        out = client.voice_out_trunks().create(out).data
        again = VoiceOutTrunkRegenerateCredential()
        again.voice_out_trunk = out
        client.voice_out_trunk_regenerate_credentials().create(again)
        return made, out, client.voice_out_trunks().find(out.id).data

    async with Simulator(rate_limit=None) as sim:
        made, before, after = await asyncio.to_thread(with_client, sim, make)
        assert "sip.example.com" == made.configuration.host
        assert before.authentication_method.password != after.authentication_method.password


async def test_an_export(tmp_path):
    def fetch(client):
        buy_in_new_york(client)
        export = Export()
        export.export_type = ExportType.CDR_IN
        now = time.time()
        export.filters = {
            name: time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now - days * 86_400))
            for name, days in (("from", 20), ("to", 1))
        }
        made = client.exports().create(export).data
        for _ in range(100):
            made = client.exports().find(made.id).data
            if made.is_completed:
                break
            time.sleep(0.02)
        client.download_and_decompress_export(made.url, tmp_path / "calls.csv")

    async with Simulator(rate_limit=None, completes_after=0.05, exported_after=0.05) as sim:
        await asyncio.to_thread(with_client, sim, fetch)
        text = (tmp_path / "calls.csv").read_text()
        assert text.startswith("Date/Time Start")
        assert all(did.number in text for did in sim.dids)
