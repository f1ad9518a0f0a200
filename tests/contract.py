"""The API's contract, version 2026-04-16: every resource, operation and filter with its types."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONTRACT: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("contract-2026-04-16.json").read_text(encoding="utf-8")
)
RESOURCES: Mapping[str, Any] = CONTRACT["resources"]
NESTED: Mapping[str, Any] = CONTRACT["nested"]
