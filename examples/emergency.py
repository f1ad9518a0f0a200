"""Emergency calling: what a country asks for, an address, the service and its price."""

import asyncio
import datetime as dt

from didww_async import Client, ValidationFailed
from didww_async.resources import (
    AddressCreate,
    EmergencyRequirementValidationCreate,
    EmergencyVerificationCreate,
    IdentityCreate,
)
from flows import Completed, PurchaseRequest, buy


async def main() -> None:
    async with Client.from_env() as client:
        bought = await buy(
            client,
            PurchaseRequest(
                country="US",
                region="New Jersey",
                features=("emergency",),
                prefer="cheapest",
            ),
        )
        assert isinstance(bought, Completed)
        [did] = bought.dids

        country = await client.countries.first(filter={"iso": "US"})
        assert country is not None
        group = await client.did_groups.get(
            bought.purchase.request.items[0].did_group_id, include=["did_group_type"]
        )
        assert group.did_group_type is not None
        needed = await client.emergency_requirements.first(
            filter={"country.id": country.id, "did_group_type.id": group.did_group_type.id}
        )
        assert needed is not None
        print(needed.personal_mandatory_fields, needed.meta.monthly_price, "a month")

        identity = await client.identities.create(
            IdentityCreate(
                identity_type="personal",
                first_name="Ada",
                last_name="Lovelace",
                phone_number="12125550123",
                birth_date=dt.date(1990, 12, 10),
                country=country.id,
            )
        )
        address = await client.addresses.create(
            AddressCreate(
                address="Broadway 1",
                city_name="Newark",
                postal_code="07102",
                identity=identity.id,
                country=country.id,
            )
        )
        try:  # a dry run: nothing is stored
            await client.emergency_requirement_validations.create(
                EmergencyRequirementValidationCreate(
                    emergency_requirement=needed.id, identity=identity.id, address=address.id
                )
            )
        except ValidationFailed as missing:
            raise SystemExit(str(missing)) from None

        # From here on it is charged monthly.
        verification = await client.emergency_verifications.create(
            EmergencyVerificationCreate(address=address.id, dids=[did.id])
        )
        print(verification.reference, verification.status)  # a person at DIDWW looks at it
        async for service in client.emergency_calling_services.iterate(include=["dids"]):
            print(service.name, service.status, [did.number for did in service.dids])


asyncio.run(main())
