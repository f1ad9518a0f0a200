"""Deciding by hand what otherwise happens by itself: one object per area of a simulator."""

from collections.abc import Sequence

import attrs

from didww_async.simulator import emergency, exporting, numbers, verifying
from didww_async.simulator.emergency import EmergencyVerification
from didww_async.simulator.exporting import Export
from didww_async.simulator.records import Did
from didww_async.simulator.timers import Timers
from didww_async.simulator.uploading import EncryptedFile, current_fingerprint, live_files
from didww_async.simulator.verifying import AddressVerification
from didww_async.simulator.world import World

Verification = AddressVerification | EmergencyVerification


@attrs.frozen(eq=False, repr=False)
class Verifications:
    """Address and emergency verifications: `simulator.verifications.approve(verification_id)`."""

    _world: World
    _timers: Timers

    @property
    def all(self) -> list[Verification]:
        """Every verification: those of addresses, then those of emergency calling."""
        owned = self._world.owned
        return [*owned.address_verifications.values(), *owned.emergency_verifications.values()]

    def approve(self, verification_id: str) -> Verification:
        """Approve a pending verification now: its numbers are registered, or may call for help.

        Raises KeyError for an unknown id, ValueError if it is decided already.
        """
        self._timers.forget(verification_id)
        found = self._world.owned.address_verifications.get(verification_id)
        if found is not None:
            return verifying.approve(self._world, found)
        return emergency.approve(
            self._world, self._world.owned.emergency_verifications[verification_id]
        )

    def reject(
        self,
        verification_id: str,
        *,
        reasons: Sequence[str] = ("Wrong document",),
        comment: str | None = None,
    ) -> Verification:
        """Reject a pending verification now.

        Raises KeyError for an unknown id, ValueError if it is decided already.
        """
        self._timers.forget(verification_id)
        found = self._world.owned.address_verifications.get(verification_id)
        if found is not None:
            return verifying.reject(self._world, found, reasons=reasons, comment=comment)
        return emergency.reject(
            self._world,
            self._world.owned.emergency_verifications[verification_id],
            reasons=reasons,
            comment=comment,
        )


@attrs.frozen(eq=False, repr=False)
class Exports:
    """CDR exports: `simulator.exports.complete(export_id)`."""

    _world: World
    _timers: Timers

    @property
    def all(self) -> list[Export]:
        """Every export, the oldest first."""
        return list(self._world.owned.exports.values())

    def complete(self, export_id: str) -> Export:
        """Make the file of a pending export now.

        Raises KeyError for an unknown id, ValueError if it is completed already.
        """
        self._timers.forget(export_id)
        return exporting.complete(self._world, self._world.owned.exports[export_id])


@attrs.frozen(eq=False, repr=False)
class Files:
    """Uploaded files: `simulator.files.all`."""

    _world: World

    @property
    def all(self) -> list[EncryptedFile]:
        """The files that have not lapsed, still encrypted."""
        return list(live_files(self._world).values())

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the public keys, as uploads must name it."""
        return current_fingerprint(self._world)

    def rotate_keys(self) -> None:
        """Change the public keys' order: fingerprints of before are outdated."""
        first, second = self._world.public_keys
        self._world.public_keys = (second, first)


@attrs.frozen(eq=False, repr=False)
class Numbers:
    """Numbers: `simulator.numbers.renew(did_id)`. Each raises KeyError for an unknown id."""

    _world: World

    def renew(self, did_id: str) -> Did:
        """Begin the next billing period. Raises ValueError if there is none left."""
        return numbers.renew(self._world, self._world.dids[did_id])

    def remove(self, did_id: str) -> None:
        """Take a number away, as happens when its last billing period is over."""
        numbers.remove(self._world, self._world.dids[did_id])

    def block(self, did_id: str) -> Did:
        """Let a number receive no traffic, and take no changes."""
        blocked = attrs.evolve(self._world.dids[did_id], blocked=True)
        self._world.keep_did(blocked)
        return blocked
