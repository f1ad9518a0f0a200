"""Address verifications: an address is submitted for numbers, and approved or rejected."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

import attrs

from didww_async.simulator.errors import Problem, RefusedError, invalid
from didww_async.simulator.inputs import Values
from didww_async.simulator.requiring import problems_with

if TYPE_CHECKING:
    from didww_async.simulator.identities import Address
    from didww_async.simulator.records import Did
    from didww_async.simulator.world import World

_DIDS = "/data/relationships/dids"


@attrs.frozen(kw_only=True)
class AddressVerification:
    """A submission. `status` is pending, approved or rejected."""

    id: str
    created_at: datetime
    reference: str
    address_id: str
    did_ids: tuple[str, ...]
    onetime_file_ids: tuple[str, ...] = ()
    service_description: str | None = None
    callback_url: str | None = None
    callback_method: str | None = None
    external_reference_id: str | None = None
    status: str = "pending"
    reject_reasons: tuple[str, ...] | None = None
    reject_comment: str | None = None

    type: ClassVar[str] = "address_verifications"

    def callback_details(self) -> dict[str, str]:
        return rejection_details(self.reject_reasons, self.reject_comment)


def rejection_details(reasons: Sequence[str] | None, comment: str | None) -> dict[str, str]:
    """What a callback tells of a rejection. How a list is written is not documented."""
    if reasons is None:
        return {}
    return {"reject_reasons": ", ".join(reasons), "reject_comment": comment or ""}


def submit(world: "World", values: Values) -> AddressVerification:
    """Carry out POST /address_verifications."""
    values["onetime_file_ids"] = values.pop("onetime_files_ids", ())
    values["did_ids"] = values.pop("dids_ids")
    check_callback(values)
    verification = AddressVerification(
        id=world.new_id(),
        created_at=world.now(),
        reference=world.new_reference(),
        **values,
    )
    problems = _problems(world, verification)
    if problems:
        raise RefusedError(422, *problems)
    world.owned.address_verifications[verification.id] = verification
    for did_id in verification.did_ids:
        world.keep_did(attrs.evolve(world.dids[did_id], address_verification_id=verification.id))
    world.submitted(verification)
    return verification


def approve(world: "World", verification: AddressVerification) -> AddressVerification:
    """Accept the address: its numbers are registered."""
    verification = _decided(world, verification, attrs.evolve(verification, status="approved"))
    for did_id in verification.did_ids:
        did = world.dids.get(did_id)
        if did is not None and did.address_verification_id == verification.id:
            world.keep_did(attrs.evolve(did, awaiting_registration=False))
    owned = world.owned
    address = attrs.evolve(owned.addresses[verification.address_id], verified=True)
    identity = attrs.evolve(owned.identities[address.identity_id], verified=True)
    owned.addresses[address.id] = address
    owned.identities[identity.id] = identity
    world.settled(verification)
    return verification


def reject(
    world: "World",
    verification: AddressVerification,
    *,
    reasons: Sequence[str],
    comment: str | None,
) -> AddressVerification:
    """Turn the address down: its numbers go on waiting, for another verification."""
    verification = _decided(
        world,
        verification,
        attrs.evolve(
            verification, status="rejected", reject_reasons=tuple(reasons), reject_comment=comment
        ),
    )
    for did_id in verification.did_ids:
        did = world.dids.get(did_id)
        if did is not None and did.address_verification_id == verification.id:
            world.keep_did(attrs.evolve(did, address_verification_id=None))
    world.settled(verification)
    return verification


def change_reference(
    world: "World", verification: AddressVerification, values: Values
) -> AddressVerification:
    changed = attrs.evolve(verification, **values)
    world.owned.address_verifications[changed.id] = changed
    return changed


def link_did(world: "World", did: "Did", verification_id: str | None) -> "Did":
    """Register a number by an address that was approved already, or end its registration."""
    group = world.atlas.groups[did.group_id]
    if verification_id is None:
        return attrs.evolve(
            did, address_verification_id=None, awaiting_registration=group.needs_registration
        )
    verification = world.owned.address_verifications[verification_id]
    pointer = "/data/relationships/address_verification"
    if verification.status == "rejected":
        raise RefusedError(422, invalid(pointer, "is rejected"))
    requirement = world.regulation.address_requirement_of(group)
    if requirement is not None:
        address = world.owned.addresses[verification.address_id]
        if problems_with(world, address, requirement):
            raise RefusedError(422, invalid(pointer, "does not fit the DID"))
    if did.id not in verification.did_ids:
        world.owned.address_verifications[verification.id] = attrs.evolve(
            verification, did_ids=(*verification.did_ids, did.id)
        )
    return attrs.evolve(
        did,
        address_verification_id=verification.id,
        awaiting_registration=group.needs_registration and verification.status == "pending",
    )


def check_callback(values: Values) -> None:
    """A callback needs both its URL and its method."""
    url, method = values.get("callback_url"), values.get("callback_method")
    if url is not None and method is None:
        raise RefusedError(422, invalid("/data/attributes/callback_method", "can't be blank"))
    if method is not None and url is None:
        raise RefusedError(422, invalid("/data/attributes/callback_url", "can't be blank"))


def _problems(world: "World", verification: AddressVerification) -> list[Problem]:
    address = world.owned.addresses[verification.address_id]
    dids = [world.dids[did_id] for did_id in verification.did_ids]
    problems = []
    for did in dids:
        other = world.owned.address_verifications.get(did.address_verification_id or "")
        if other is not None:
            problems.append(invalid(_DIDS, f"{did.number} is in verification {other.reference}"))
    return problems or _requirement_problems(world, verification, address, dids)


def _requirement_problems(
    world: "World", verification: AddressVerification, address: "Address", dids: "Sequence[Did]"
) -> list[Problem]:
    found = [
        requirement
        for did in dids
        if (
            requirement := world.regulation.address_requirement_of(world.atlas.groups[did.group_id])
        )
    ]
    requirements = {requirement.id: requirement for requirement in found}
    kind = world.owned.identities[address.identity_id].identity_type
    problems: list[Problem] = []
    for requirement in requirements.values():
        problems += problems_with(world, address, requirement)
        if requirement.service_description_required and not verification.service_description:
            problems.append(invalid("/data/attributes/service_description", "can't be blank"))
        needs_file = (
            requirement.business_onetime_document_id
            if kind == "business"
            else requirement.personal_onetime_document_id
        )
        if needs_file and not verification.onetime_file_ids:
            problems.append(invalid("/data/relationships/onetime_files", "can't be blank"))
    return problems


def _decided(
    world: "World", before: AddressVerification, after: AddressVerification
) -> AddressVerification:
    if before.status != "pending":
        raise ValueError(f"verification {before.reference} is {before.status}")
    world.owned.address_verifications[after.id] = after
    return after
