"""Deciding by hand what otherwise happens by itself: one object per area of a simulator."""

from collections.abc import Sequence

import attrs

from didww_async.simulator import verifying
from didww_async.simulator.timers import Timers
from didww_async.simulator.uploading import EncryptedFile, live_files
from didww_async.simulator.verifying import AddressVerification
from didww_async.simulator.world import World


@attrs.frozen(eq=False, repr=False)
class Verifications:
    """Address verifications: `simulator.verifications.approve(verification_id)`."""

    _world: World
    _timers: Timers

    @property
    def all(self) -> list[AddressVerification]:
        """Every verification, the oldest first."""
        return list(self._world.owned.address_verifications.values())

    def approve(self, verification_id: str) -> AddressVerification:
        """Approve a pending verification now: its numbers are registered.

        Raises KeyError for an unknown id, ValueError if it is decided already.
        """
        self._timers.forget(verification_id)
        found = self._world.owned.address_verifications[verification_id]
        return verifying.approve(self._world, found)

    def reject(
        self,
        verification_id: str,
        *,
        reasons: Sequence[str] = ("Wrong document",),
        comment: str | None = None,
    ) -> AddressVerification:
        """Reject a pending verification now.

        Raises KeyError for an unknown id, ValueError if it is decided already.
        """
        self._timers.forget(verification_id)
        found = self._world.owned.address_verifications[verification_id]
        return verifying.reject(self._world, found, reasons=reasons, comment=comment)


@attrs.frozen(eq=False, repr=False)
class Files:
    """Uploaded files: `simulator.files.all`."""

    _world: World

    @property
    def all(self) -> list[EncryptedFile]:
        """The files that have not lapsed, still encrypted."""
        return list(live_files(self._world).values())

    def rotate_keys(self) -> None:
        """Change the public keys' order: fingerprints of before are outdated."""
        first, second = self._world.public_keys
        self._world.public_keys = (second, first)
