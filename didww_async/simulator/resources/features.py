"""What numbers can do, as each version names it."""

from typing import Final

FEATURES: Final = (
    "voice_in",
    "voice_out",
    "t38",
    "sms_in",
    "p2p",
    "a2p",
    "emergency",
    "cnam_out",
)
OLD_FEATURES: Final = (*FEATURES, "sms_out")
