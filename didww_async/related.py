"""Where relationships lead, as data: the parts of a nested include are names of different types.

Relationships that lead to several types (a proof's entity) are not in it. Source: the contract.
"""

from collections.abc import Mapping

__all__ = ["RELATED"]

# Type -> the relationships that lead to it.
LEADING_TO: Mapping[str, str] = {
    "regions": "countries.regions cities.region did_groups.region nanpa_prefixes.region",
    "countries": (
        "regions.country cities.country areas.country did_groups.country "
        "nanpa_prefixes.country capacity_pools.countries identities.country "
        "identities.birth_country addresses.country address_requirements.country "
        "emergency_requirements.country emergency_calling_services.country"
    ),
    "areas": "cities.area addresses.area",
    "cities": "did_groups.city addresses.city",
    "did_group_types": (
        "did_groups.did_group_type address_requirements.did_group_type "
        "emergency_requirements.did_group_type emergency_calling_services.did_group_type"
    ),
    "stock_keeping_units": "did_groups.stock_keeping_units",
    "address_requirements": "did_groups.address_requirement",
    "did_groups": "available_dids.did_group dids.did_group",
    "nanpa_prefixes": "available_dids.nanpa_prefix",
    "available_dids": "did_reservations.available_did",
    "orders": "dids.order emergency_calling_services.order",
    "capacity_pools": "dids.capacity_pool shared_capacity_groups.capacity_pool",
    "shared_capacity_groups": "dids.shared_capacity_group capacity_pools.shared_capacity_groups",
    "address_verifications": "dids.address_verification",
    "voice_in_trunks": "dids.voice_in_trunk voice_in_trunk_groups.voice_in_trunks",
    "voice_in_trunk_groups": "dids.voice_in_trunk_group voice_in_trunks.voice_in_trunk_group",
    "emergency_calling_services": (
        "dids.emergency_calling_service emergency_verifications.emergency_calling_service"
    ),
    "emergency_verifications": (
        "dids.emergency_verification emergency_calling_services.emergency_verification"
    ),
    "identities": "dids.identity addresses.identity permanent_supporting_documents.identity",
    "qty_based_pricings": "capacity_pools.qty_based_pricings",
    "dids": (
        "shared_capacity_groups.dids voice_out_trunks.dids voice_out_trunks.emergency_dids "
        "address_verifications.dids emergency_calling_services.dids "
        "emergency_verifications.dids"
    ),
    "pops": "voice_in_trunks.pop",
    "proofs": "identities.proofs addresses.proofs",
    "addresses": (
        "identities.addresses address_verifications.address emergency_verifications.address"
    ),
    "permanent_supporting_documents": "identities.permanent_documents",
    "proof_types": (
        "proofs.proof_type address_requirements.personal_proof_types "
        "address_requirements.business_proof_types address_requirements.address_proof_types"
    ),
    "supporting_document_templates": (
        "permanent_supporting_documents.template "
        "address_requirements.personal_permanent_document "
        "address_requirements.business_permanent_document "
        "address_requirements.personal_onetime_document "
        "address_requirements.business_onetime_document"
    ),
    "emergency_requirements": "emergency_calling_services.emergency_requirement",
}
RELATED: Mapping[tuple[str, str], str] = {
    (type_, name): target
    for target, leading in LEADING_TO.items()
    for type_, name in (path.split(".") for path in leading.split())
}
