"""Enumerations, which 2022-05-10 spells with capitals and spaces where later versions do not."""

from collections.abc import Mapping

import attrs

from didww_async.simulator.filters import texts
from didww_async.simulator.inputs import field, one_of
from didww_async.simulator.schema import Attribute, Filter, Input, Read, column
from didww_async.simulator.versions import V2022, V2026


@attrs.frozen
class Words:
    """The values of an enumeration, each with its old spelling."""

    old: Mapping[str, str]

    def attribute(self, name: str, read: Read | None = None) -> tuple[Attribute, Attribute]:
        read = read or column(name)
        return (
            Attribute(name, read=self._old(read), until=V2022),
            Attribute(name, read=read, since=V2026),
        )

    def inputs(
        self, name: str, *, required: bool = False, nullable: bool = False
    ) -> tuple[Input, Input]:
        old = one_of(*self.old.values())
        back = {spelled: word for word, spelled in self.old.items()}
        return (
            field(
                name,
                lambda value: back[old(value)],
                required=required,
                nullable=nullable,
                until=V2022,
            ),
            field(name, one_of(*self.old), required=required, nullable=nullable, since=V2026),
        )

    def filter(self, name: str, read: Read | None = None) -> tuple[Filter, Filter]:
        read = read or column(name)
        return (
            texts(name, self._old(read), allowed=tuple(self.old.values()), until=V2022),
            texts(name, read, allowed=tuple(self.old), since=V2026),
        )

    def _old(self, read: Read) -> Read:
        def old(world: object, record: object) -> str | None:
            word = read(world, record)  # type: ignore[arg-type]  # whatever world it is
            return None if word is None else self.old.get(word, word)

        return old


def capitalised(*words: str) -> Words:
    return Words({word: word.capitalize() for word in words})


CALLBACK_METHODS = Words({"get": "GET", "post": "POST"})
IDENTITY_TYPES = capitalised("personal", "business", "any")
AREA_LEVELS = Words(
    {"world_wide": "WorldWide", "country": "Country", "area": "Area", "city": "City"}
)
VERIFICATION_STATUSES = capitalised("pending", "approved", "rejected")
EXPORT_STATUSES = capitalised("pending", "processing", "completed")
OUT_TRUNK_STATUSES = capitalised("active", "blocked")
CLI_MISMATCH_ACTIONS = Words(
    {
        "reject_call": "Reject call",
        "replace_cli": "Replace CLI",
        "send_original_cli": "Send Original CLI",
        "randomize_cli": "Randomize CLI",
    }
)
DESTINATION_ACTIONS = Words({"allow_all": "Allow Calls", "reject_all": "Reject Calls"})
MEDIA_ENCRYPTION_MODES = Words(
    {
        "disabled": "Disable",
        "srtp_sdes": "SRTP SDES",
        "srtp_dtls": "SRTP DTLS",
        "zrtp": "ZRTP",
    }
)
