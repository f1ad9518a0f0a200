"""What a country asks for: proof types, templates, address and emergency requirements.

All of it is invented, though it looks like the real thing. A country and number type always get the
same requirement: a hash of their names chooses.
"""

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property

import attrs

from didww_async.simulator.atlas import Atlas
from didww_async.simulator.coverage import CountryRow, GroupRow, NumberTypeRow

_NAMES = uuid.UUID("b3a6f2f0-5b1e-4c1c-9d4e-1f9a4f0f5d7e")


def named_id(key: str) -> str:
    """The id of a static record: the same in every simulator."""
    return str(uuid.uuid5(_NAMES, key))


@attrs.frozen
class ProofType:
    id: str
    name: str
    entity_type: str


@attrs.frozen
class Template:
    id: str
    name: str
    permanent: bool
    url: str


@attrs.frozen
class Pop:
    id: str
    name: str


@attrs.frozen(kw_only=True)
class AddressRequirement:
    """What the registration of a country's numbers of one type needs."""

    id: str
    country_id: str
    did_group_type_id: str
    identity_type: str
    personal_area_level: str | None
    business_area_level: str | None
    address_area_level: str
    personal_proof_qty: int
    business_proof_qty: int
    address_proof_qty: int
    personal_mandatory_fields: tuple[str, ...] | None
    business_mandatory_fields: tuple[str, ...] | None
    service_description_required: bool
    restriction_message: str
    personal_permanent_document_id: str | None
    business_permanent_document_id: str | None
    personal_onetime_document_id: str | None
    business_onetime_document_id: str | None
    personal_proof_type_ids: tuple[str, ...]
    business_proof_type_ids: tuple[str, ...]
    address_proof_type_ids: tuple[str, ...]


@attrs.frozen(kw_only=True)
class EmergencyRequirement:
    """What emergency calling needs where a country's numbers of one type have it."""

    id: str
    country_id: str
    did_group_type_id: str
    identity_type: str
    personal_area_level: str | None
    business_area_level: str | None
    address_area_level: str
    personal_mandatory_fields: tuple[str, ...]
    business_mandatory_fields: tuple[str, ...]
    address_mandatory_fields: tuple[str, ...]
    estimate_setup_time: str
    requirement_restriction_message: str | None
    setup_price: Decimal
    monthly_price: Decimal


PROOF_TYPES = tuple(
    ProofType(named_id(f"proof_type/{entity_type}/{name}"), name, entity_type)
    for entity_type, names in {
        "Personal": ("Passport", "National ID Card", "Driving Licence"),
        "Business": ("Business Registration Certificate", "Tax Registration Certificate"),
        "Address": ("Utility Bill", "Bank Statement", "Rental Agreement"),
        "Porting": ("Letter of Authorization", "Latest Invoice"),
    }.items()
    for name in names
)
TEMPLATES = tuple(
    Template(named_id(f"template/{name}"), name, permanent, f"https://example.com/{slug}.pdf")
    for name, permanent, slug in (
        ("Generic Personal Statement", True, "personal-statement"),
        ("Generic Company Statement", True, "company-statement"),
        ("Declaration of Number Use", False, "number-use"),
        ("Declaration of Address", False, "address"),
    )
)
POPS = tuple(
    Pop(named_id(f"pop/{name}"), name)
    for name in ("DE, FRA", "HK, HKG", "SG, SIN", "UK, LON", "US, LAX", "US, MIA", "US, NYC")
)


def _ids_of(entity_type: str) -> tuple[str, ...]:
    return tuple(row.id for row in PROOF_TYPES if row.entity_type == entity_type)


@attrs.frozen
class _Chance:
    """Bytes that a name always gives."""

    digest: bytes

    @classmethod
    def of(cls, name: str) -> "_Chance":
        return cls(hashlib.sha256(name.encode()).digest())

    def one_in(self, place: int, number: int) -> bool:
        return self.digest[place] % number == 0


class Regulation:
    """The rules of the countries that an atlas covers."""

    proof_types: Mapping[str, ProofType] = {row.id: row for row in PROOF_TYPES}
    templates: Mapping[str, Template] = {row.id: row for row in TEMPLATES}
    pops: Mapping[str, Pop] = {row.id: row for row in POPS}

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas

    @cached_property
    def address_requirements(self) -> dict[str, AddressRequirement]:
        asked = (row for row in self._atlas.coverage.groups if row.needs_registration)
        found = [_address_requirement(*pair) for pair in self._pairs(asked)]
        return {row.id: row for row in found}

    @cached_property
    def emergency_requirements(self) -> dict[str, EmergencyRequirement]:
        asked = (row for row in self._atlas.coverage.groups if "emergency" in row.features)
        found = [_emergency_requirement(*pair) for pair in self._pairs(asked)]
        return {row.id: row for row in found}

    def address_requirement_of(self, group: GroupRow) -> AddressRequirement | None:
        if not group.needs_registration:
            return None
        return self.address_requirements[_key("address", group.country_id, group.number_type_id)]

    def emergency_requirement_of(self, group: GroupRow) -> EmergencyRequirement | None:
        if "emergency" not in group.features:
            return None
        key = _key("emergency", group.country_id, group.number_type_id)
        return self.emergency_requirements[key]

    def _pairs(self, groups: Iterable[GroupRow]) -> list[tuple[CountryRow, NumberTypeRow]]:
        found = {(row.country_id, row.number_type_id): None for row in groups}
        return [
            (self._atlas.countries[country], self._atlas.number_types[kind])
            for country, kind in found
        ]


def _key(kind: str, country_id: str, type_id: str) -> str:
    return named_id(f"{kind}_requirement/{country_id}/{type_id}")


def _address_requirement(country: CountryRow, kind: NumberTypeRow) -> AddressRequirement:
    chance = _Chance.of(f"{country.iso}/{kind.name}")
    business_only = kind.name in {"Toll-free", "Shared Cost"}
    local = kind.name == "Local"
    return AddressRequirement(
        id=_key("address", country.id, kind.id),
        country_id=country.id,
        did_group_type_id=kind.id,
        identity_type="business" if business_only else "any",
        personal_area_level=None if business_only else "world_wide",
        business_area_level="country" if business_only else "world_wide",
        address_area_level=("city" if chance.one_in(0, 3) else "country") if local else "country",
        personal_proof_qty=0 if business_only else 1,
        business_proof_qty=1,
        address_proof_qty=1 if local else 0,
        personal_mandatory_fields=None if business_only else ("birth_date", "id_number"),
        business_mandatory_fields=("company_reg_number", "vat_id")
        if chance.one_in(1, 2)
        else ("company_reg_number",),
        service_description_required=business_only,
        restriction_message="End user registration is required."
        if local
        else "End user registration and a service description may be required.",
        personal_permanent_document_id=None,
        business_permanent_document_id=TEMPLATES[1].id if chance.one_in(2, 4) else None,
        personal_onetime_document_id=None,
        business_onetime_document_id=TEMPLATES[2].id if business_only else None,
        personal_proof_type_ids=() if business_only else _ids_of("Personal"),
        business_proof_type_ids=_ids_of("Business"),
        address_proof_type_ids=_ids_of("Address") if local else (),
    )


def _emergency_requirement(country: CountryRow, kind: NumberTypeRow) -> EmergencyRequirement:
    chance = _Chance.of(f"emergency/{country.iso}/{kind.name}")
    return EmergencyRequirement(
        id=_key("emergency", country.id, kind.id),
        country_id=country.id,
        did_group_type_id=kind.id,
        identity_type="any",
        personal_area_level="world_wide",
        business_area_level="world_wide",
        address_area_level="country",
        personal_mandatory_fields=("Birth date",) if chance.one_in(0, 2) else (),
        business_mandatory_fields=("Company registration number",),
        address_mandatory_fields=(),
        estimate_setup_time="7-14 days" if chance.one_in(1, 2) else "1",
        requirement_restriction_message=None,
        setup_price=Decimal("0.0"),
        monthly_price=Decimal("1.5") if chance.one_in(2, 2) else Decimal("0.9"),
    )
