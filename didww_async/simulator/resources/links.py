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
