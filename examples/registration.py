"""A number that needs registration: identity, address, encrypted documents, verification (extra
`files`)."""

import asyncio
import datetime as dt

from didww_async import Client, ValidationFailed
from didww_async.resources import (
    AddressCreate,
    AddressRequirementValidationCreate,
    AddressVerificationCreate,
    IdentityCreate,
    ProofCreate,
)
from flows import Completed, PurchaseRequest, buy

SCAN = b"%PDF-1.7 ..."  # or a path: large files are encrypted and sent in parts


async def main() -> None:
    async with Client.from_env() as client:
        bought = await buy(client, PurchaseRequest(country="DE", city="Berlin", prefer="cheapest"))
        assert isinstance(bought, Completed)
        [did] = bought.dids  # did.awaiting_registration: it takes no calls yet

        # What DIDWW wants to know about the owner of this kind of number.
        group_id = bought.purchase.request.items[0].did_group_id
        group = await client.did_groups.get(group_id, include=["country", "address_requirement"])
        assert group.country is not None
        assert group.address_requirement is not None
        needed = await client.address_requirements.get(
            group.address_requirement.id, include=["personal_proof_types", "address_proof_types"]
        )
        print(needed.personal_mandatory_fields, needed.restriction_message)

        identity = await client.identities.create(
            IdentityCreate(
                identity_type="personal",
                first_name="Ada",
                last_name="Lovelace",
                phone_number="493012345678",
                id_number="L01X00T47",
                birth_date=dt.date(1990, 12, 10),
                country=group.country.id,
            )
        )
        address = await client.addresses.create(
            AddressCreate(
                address="Unter den Linden 1",
                city_name="Berlin",
                postal_code="10117",
                identity=identity.id,
                country=group.country.id,
            )
        )
        for owner, types in (
            (identity, needed.personal_proof_types),
            (address, needed.address_proof_types),
        ):
            file = await client.encrypted_files.upload(SCAN, description="scan")
            await client.proofs.create(
                ProofCreate(proof_type=types[0].id, entity=owner, files=[file.id])
            )

        try:  # a dry run: nothing is stored
            await client.address_requirement_validations.create(
                AddressRequirementValidationCreate(
                    address_requirement=needed.id, identity=identity.id, address=address.id
                )
            )
        except ValidationFailed as missing:
            raise SystemExit(str(missing)) from None
        verification = await client.address_verifications.create(
            AddressVerificationCreate(address=address.id, dids=[did.id])
        )
        print(verification.reference, verification.status)  # a person at DIDWW looks at it


asyncio.run(main())
