"""What relationships in request bodies may name."""

from didww_async.simulator.schema import Target
from didww_async.simulator.uploading import live_files

COUNTRIES = Target("countries", lambda world: world.atlas.countries)
DIDS = Target("dids", lambda world: world.dids)
IDENTITIES = Target("identities", lambda world: world.owned.identities)
ADDRESSES = Target("addresses", lambda world: world.owned.addresses)
PROOF_TYPES = Target("proof_types", lambda world: world.regulation.proof_types)
TEMPLATES = Target("supporting_document_templates", lambda world: world.regulation.templates)
FILES = Target("encrypted_files", live_files)
ADDRESS_VERIFICATIONS = Target(
    "address_verifications", lambda world: world.owned.address_verifications
)
REQUIREMENTS = Target("requirements", lambda world: world.regulation.address_requirements)
ADDRESS_REQUIREMENTS = Target(
    "address_requirements", lambda world: world.regulation.address_requirements
)
CAPACITY_POOLS = Target("capacity_pools", lambda world: world.owned.capacity_pools)
SHARED_CAPACITY_GROUPS = Target(
    "shared_capacity_groups", lambda world: world.owned.shared_capacity_groups
)
POPS = Target("pops", lambda world: world.regulation.pops)
VOICE_IN_TRUNKS = Target("voice_in_trunks", lambda world: world.owned.in_trunks)
VOICE_IN_TRUNK_GROUPS = Target("voice_in_trunk_groups", lambda world: world.owned.in_trunk_groups)
VOICE_OUT_TRUNKS = Target("voice_out_trunks", lambda world: world.owned.out_trunks)
EMERGENCY_REQUIREMENTS = Target(
    "emergency_requirements", lambda world: world.regulation.emergency_requirements
)
EMERGENCY_CALLING_SERVICES = Target(
    "emergency_calling_services", lambda world: world.owned.emergency_services
)
