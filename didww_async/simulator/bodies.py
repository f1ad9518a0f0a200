"""Reading the `data` of a request body."""

import json
from collections.abc import Sequence
from typing import Any

from didww_async.simulator.errors import malformed, parameter_missing, parameter_not_allowed
from didww_async.simulator.schema import Input, Resource


def data_of(
    body: bytes, resource: Resource, *, inputs: Sequence[Input], record_id: str | None = None
) -> dict[str, Any]:
    """Read the `data` of a request body, and check that it contains only what may be written."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise malformed("The request body is not JSON.") from error
    if not _can_be_sent(document):
        raise malformed("The request body has half of a surrogate pair or too large a number.")
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict):
        raise parameter_missing("data")
    if "type" not in data:
        raise parameter_missing("type")
    if data["type"] != resource.type:
        raise malformed(f"{data['type']} is not {resource.type}.")
    if record_id is None and "id" in data:
        raise parameter_not_allowed("id")
    if record_id is not None and "id" not in data:
        raise parameter_missing("id")
    if record_id is not None and data["id"] != record_id:
        raise malformed("The id in the body is not the id of the URL.")
    for part in ("attributes", "relationships"):
        allowed = {
            entry.name for entry in inputs if entry.relationship == (part == "relationships")
        }
        members = data.get(part, {})
        if not isinstance(members, dict):
            raise malformed(f"{part} must be an object.")
        for name in members:
            if name not in allowed:
                raise parameter_not_allowed(name)
    return data


def _can_be_sent(document: Any) -> bool:
    """Whether a reply can say it: some JSON reads as what no JSON can be written from."""
    try:
        json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        return False
    return True
