"""The table of all resources, a file per chapter of the API."""

import functools
from collections.abc import Mapping

import attrs

from didww_async.simulator.resources.account import BALANCES
from didww_async.simulator.resources.capacity import (
    CAPACITY_POOLS,
    QTY_BASED_PRICINGS,
    SHARED_CAPACITY_GROUPS,
)
from didww_async.simulator.resources.coverage import (
    AREAS,
    CITIES,
    COUNTRIES,
    DID_GROUP_TYPES,
    NANPA_PREFIXES,
    REGIONS,
)
from didww_async.simulator.resources.documents import (
    ENCRYPTED_FILES,
    PERMANENT_SUPPORTING_DOCUMENTS,
    PROOF_TYPES,
    PROOFS,
    PUBLIC_KEYS,
    SUPPORTING_DOCUMENT_TEMPLATES,
)
from didww_async.simulator.resources.emergency import (
    EMERGENCY_CALLING_SERVICES,
    EMERGENCY_REQUIREMENT_VALIDATIONS,
    EMERGENCY_REQUIREMENTS,
    EMERGENCY_VERIFICATIONS,
)
from didww_async.simulator.resources.exports import EXPORTS
from didww_async.simulator.resources.identity import ADDRESSES, IDENTITIES
from didww_async.simulator.resources.inventory import (
    AVAILABLE_DIDS,
    DID_GROUPS,
    DID_RESERVATIONS,
    STOCK_KEEPING_UNITS,
)
from didww_async.simulator.resources.numbers import DID_HISTORY, DIDS
from didww_async.simulator.resources.orders import ORDERS
from didww_async.simulator.resources.regulation import (
    ADDRESS_REQUIREMENT_VALIDATIONS,
    ADDRESS_REQUIREMENTS,
    ADDRESS_VERIFICATIONS,
    REQUIREMENT_VALIDATIONS,
    REQUIREMENTS,
)
from didww_async.simulator.resources.voice import (
    POPS,
    VOICE_IN_TRUNK_GROUPS,
    VOICE_IN_TRUNKS,
    VOICE_OUT_TRUNK_REGENERATE_CREDENTIALS,
    VOICE_OUT_TRUNKS,
)
from didww_async.simulator.schema import Catalogue, Resource, entries_of

TABLE = (
    COUNTRIES,
    REGIONS,
    CITIES,
    AREAS,
    NANPA_PREFIXES,
    DID_GROUP_TYPES,
    DID_GROUPS,
    STOCK_KEEPING_UNITS,
    AVAILABLE_DIDS,
    DID_RESERVATIONS,
    ORDERS,
    DIDS,
    BALANCES,
    IDENTITIES,
    ADDRESSES,
    PROOF_TYPES,
    PROOFS,
    SUPPORTING_DOCUMENT_TEMPLATES,
    PERMANENT_SUPPORTING_DOCUMENTS,
    PUBLIC_KEYS,
    ENCRYPTED_FILES,
    ADDRESS_REQUIREMENTS,
    REQUIREMENTS,
    ADDRESS_REQUIREMENT_VALIDATIONS,
    REQUIREMENT_VALIDATIONS,
    ADDRESS_VERIFICATIONS,
    DID_HISTORY,
    POPS,
    VOICE_IN_TRUNKS,
    VOICE_IN_TRUNK_GROUPS,
    VOICE_OUT_TRUNKS,
    VOICE_OUT_TRUNK_REGENERATE_CREDENTIALS,
    CAPACITY_POOLS,
    QTY_BASED_PRICINGS,
    SHARED_CAPACITY_GROUPS,
    EMERGENCY_REQUIREMENTS,
    EMERGENCY_REQUIREMENT_VALIDATIONS,
    EMERGENCY_CALLING_SERVICES,
    EMERGENCY_VERIFICATIONS,
    EXPORTS,
)


@attrs.frozen(eq=False)
class Edition:
    """The resources of one version, by type and by path."""

    by_type: Catalogue
    by_path: Mapping[str, Resource]


@functools.cache
def edition(version: str) -> Edition:
    resources = [resource.for_version(version) for resource in entries_of(version, TABLE)]
    return Edition(
        by_type={resource.type: resource for resource in resources},
        by_path={resource.path: resource for resource in resources if resource.path},
    )
