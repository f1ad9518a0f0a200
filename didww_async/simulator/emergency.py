"""Emergency calling: a verification submits an address for numbers and makes the service."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar

import attrs

from didww_async.simulator import ordering
from didww_async.simulator.errors import RefusedError, unprocessable
from didww_async.simulator.inputs import Values
from didww_async.simulator.records import Did
from didww_async.simulator.regulation import EmergencyRequirement
from didww_async.simulator.requiring import problems_with
from didww_async.simulator.verifying import check_callback, rejection_details

if TYPE_CHECKING:
    from didww_async.simulator.world import World

STATUSES = ("active", "canceled", "new", "changes_required", "in_process", "pending_update")
_DIDS = "/data/relationships/dids"
_SERVICE = "/data/relationships/emergency_calling_service"


@attrs.frozen(kw_only=True)
class EmergencyVerification:
    """A submission. `status` is pending, approved or rejected."""

    id: str
    created_at: datetime
    reference: str
    address_id: str
    emergency_calling_service_id: str
    did_ids: tuple[str, ...]
    callback_url: str | None = None
    callback_method: str | None = None
    external_reference_id: str | None = None
    status: str = "pending"
    reject_reasons: tuple[str, ...] | None = None
    reject_comment: str | None = None

    type: ClassVar[str] = "emergency_verifications"

    def callback_details(self) -> dict[str, str]:
        return rejection_details(self.reject_reasons, self.reject_comment)


@attrs.frozen(kw_only=True)
class EmergencyService:
    """An emergency calling service. Each `Did` says which service it has."""

    id: str
    created_at: datetime
    name: str
    reference: str
    status: str
    country_id: str
    did_group_type_id: str
    emergency_requirement_id: str
    emergency_verification_id: str
    order_id: str
    setup_price: Decimal
    monthly_price: Decimal
    activated_at: datetime | None = None
    canceled_at: datetime | None = None
    renew_date: date | None = None


def submit(world: "World", values: Values) -> EmergencyVerification:
    """Carry out POST /emergency_verifications: for numbers, or again for a service."""
    check_callback(values)
    did_ids = values.pop("dids_ids", ())
    service_id = values.pop("emergency_calling_service_id", None)
    if service_id is not None and did_ids:
        raise unprocessable(_DIDS, "must be blank")
    if service_id is not None:
        return _submit_again(world, world.owned.emergency_services[service_id], values)
    if not did_ids:
        raise unprocessable(_DIDS, "can't be blank")
    requirement = _requirement_of(world, [world.dids[did_id] for did_id in did_ids])
    _check_address(world, values["address_id"], requirement)
    service = _new_service(world, requirement)
    for did_id in did_ids:
        world.keep_did(attrs.evolve(world.dids[did_id], emergency_calling_service_id=service.id))
    return _verification(world, service, values)


def approve(world: "World", verification: EmergencyVerification) -> EmergencyVerification:
    """Accept the address: the service is active, its numbers may call for help."""
    verification = _decided(world, verification, attrs.evolve(verification, status="approved"))
    service = world.owned.emergency_services[verification.emergency_calling_service_id]
    if service.status != "canceled":
        now = world.now()
        ordering.settle_emergency(world, service.order_id, canceled=False)
        world.owned.emergency_services[service.id] = attrs.evolve(
            service,
            status="active",
            activated_at=service.activated_at or now,
            renew_date=service.renew_date or (now + ordering.BILLING_PERIOD).date(),
        )
        for did in dids_of(world, service):
            world.keep_did(attrs.evolve(did, emergency_enabled=True))
    world.settled(verification)
    return verification


def reject(
    world: "World",
    verification: EmergencyVerification,
    *,
    reasons: Sequence[str],
    comment: str | None,
) -> EmergencyVerification:
    """Turn the address down: the service needs changes."""
    rejected = attrs.evolve(
        verification, status="rejected", reject_reasons=tuple(reasons), reject_comment=comment
    )
    verification = _decided(world, verification, rejected)
    service = world.owned.emergency_services[verification.emergency_calling_service_id]
    if service.status != "canceled":
        changed = attrs.evolve(service, status="changes_required")
        world.owned.emergency_services[service.id] = changed
    world.settled(verification)
    return verification


def change_reference(
    world: "World", verification: EmergencyVerification, values: Values
) -> EmergencyVerification:
    changed = attrs.evolve(verification, **values)
    world.owned.emergency_verifications[changed.id] = changed
    return changed


def cancel(world: "World", service: EmergencyService) -> None:
    """Carry out DELETE /emergency_calling_services/{id}."""
    if service.status == "canceled":
        raise unprocessable("/data/attributes/base", "is canceled already")
    ordering.settle_emergency(world, service.order_id, canceled=True)
    for did in dids_of(world, service):
        world.keep_did(
            attrs.evolve(did, emergency_calling_service_id=None, emergency_enabled=False)
        )
    world.owned.emergency_services[service.id] = attrs.evolve(
        service, status="canceled", canceled_at=world.now(), renew_date=None
    )


def dids_of(world: "World", service: EmergencyService) -> list[Did]:
    return [did for did in world.dids.values() if did.emergency_calling_service_id == service.id]


def link_did(world: "World", did: Did, service_id: str | None) -> Did:
    """Add a number to a service, or take it out."""
    if service_id is None:
        return attrs.evolve(did, emergency_calling_service_id=None, emergency_enabled=False)
    service = world.owned.emergency_services[service_id]
    if service.status == "canceled":
        raise unprocessable(_SERVICE, "is canceled")
    requirement = world.regulation.emergency_requirement_of(world.atlas.groups[did.group_id])
    if requirement is None or requirement.id != service.emergency_requirement_id:
        raise unprocessable(_SERVICE, "does not fit the DID")
    return attrs.evolve(
        did,
        emergency_calling_service_id=service.id,
        emergency_enabled=service.activated_at is not None,
    )


def _submit_again(
    world: "World", service: EmergencyService, values: Values
) -> EmergencyVerification:
    current = world.owned.emergency_verifications[service.emergency_verification_id]
    if service.status == "canceled":
        raise unprocessable(_SERVICE, "is canceled")
    if current.status == "pending":
        raise unprocessable(_SERVICE, f"is in verification {current.reference}")
    requirement = world.regulation.emergency_requirements[service.emergency_requirement_id]
    _check_address(world, values["address_id"], requirement)
    again = attrs.evolve(
        service,
        status="pending_update" if service.activated_at else "in_process",
        emergency_verification_id=world.new_id(),
    )
    return _verification(world, again, values)


def _requirement_of(world: "World", dids: Sequence[Did]) -> EmergencyRequirement:
    """The one requirement that all the numbers have."""
    found: dict[str, EmergencyRequirement] = {}
    for did in dids:
        requirement = world.regulation.emergency_requirement_of(world.atlas.groups[did.group_id])
        if requirement is None:
            raise unprocessable(_DIDS, f"{did.number} has no emergency calling")
        if did.emergency_calling_service_id is not None:
            raise unprocessable(_DIDS, f"{did.number} has an emergency calling service")
        found[requirement.id] = requirement
    if len(found) > 1:
        raise unprocessable(_DIDS, "must be of one country and type")
    [requirement] = found.values()
    return requirement


def _check_address(world: "World", address_id: str, requirement: EmergencyRequirement) -> None:
    problems = problems_with(world, world.owned.addresses[address_id], requirement)
    if problems:
        raise RefusedError(422, *problems)


def _new_service(world: "World", requirement: EmergencyRequirement) -> EmergencyService:
    """Order a service; it is paid at once and begins when its verification is approved."""
    service_id = world.new_id()
    order = ordering.place_emergency(
        world,
        service_id,
        setup_price=requirement.setup_price,
        monthly_price=requirement.monthly_price,
    )
    country = world.atlas.countries[requirement.country_id]
    kind = world.atlas.number_types[requirement.did_group_type_id]
    return EmergencyService(
        id=service_id,
        created_at=world.now(),
        name=f"{country.name} {kind.name}",
        reference=world.new_reference(),
        status="in_process",
        country_id=country.id,
        did_group_type_id=kind.id,
        emergency_requirement_id=requirement.id,
        emergency_verification_id=world.new_id(),
        order_id=order.id,
        setup_price=requirement.setup_price,
        monthly_price=requirement.monthly_price,
    )


def _verification(
    world: "World", service: EmergencyService, values: Values
) -> EmergencyVerification:
    """Keep the verification that a service waits for, and the service."""
    world.owned.emergency_services[service.id] = service
    verification = EmergencyVerification(
        id=service.emergency_verification_id,
        created_at=world.now(),
        reference=world.new_reference(),
        emergency_calling_service_id=service.id,
        did_ids=tuple(did.id for did in dids_of(world, service)),
        **values,
    )
    world.owned.emergency_verifications[verification.id] = verification
    world.submitted(verification)
    return verification


def _decided(
    world: "World", before: EmergencyVerification, after: EmergencyVerification
) -> EmergencyVerification:
    if before.status != "pending":
        raise ValueError(f"verification {before.reference} is {before.status}")
    world.owned.emergency_verifications[after.id] = after
    return after
