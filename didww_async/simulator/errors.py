"""Refusals: what the API answers instead of doing what was asked."""

from typing import Any

import attrs

from didww_async.simulator.versions import BEARER


@attrs.frozen
class Problem:
    """One member of an error document. `code` and `title` may be missing, as in real replies."""

    detail: str
    title: str | None = None
    code: str | None = None
    pointer: str | None = None
    meta: dict[str, str] | None = None

    def as_json(self, status: int) -> dict[str, Any]:
        document: dict[str, Any] = {}
        if self.title is not None:
            document["title"] = self.title
        document["detail"] = self.detail
        if self.code is not None:
            document["code"] = self.code
        if self.pointer is not None:
            document["source"] = {"pointer": self.pointer}
        document["status"] = str(status)
        if self.meta is not None:
            document["meta"] = self.meta
        return document


class RefusedError(Exception):
    """Answers with this status and these problems; without problems the body is empty."""

    def __init__(self, status: int, *problems: Problem) -> None:
        super().__init__(status, *problems)
        self.status = status
        self.problems = problems

    def document(self) -> dict[str, Any]:
        return {"errors": [problem.as_json(self.status) for problem in self.problems]}


def refuse(status: int, title: str, detail: str, *, code: str | None = None) -> RefusedError:
    """A refusal with one problem, whose code is the status unless said otherwise."""
    return RefusedError(status, Problem(title=title, detail=detail, code=code or str(status)))


def unauthorized() -> RefusedError:
    return refuse(401, "Unauthorized", "The Api-Key header is missing or its key is not valid.")


def too_many_requests(version: str) -> RefusedError:
    # Up to 2026-04-16 the real reply has neither a title nor a code.
    code = "too_many_requests" if version == BEARER else None
    return RefusedError(429, Problem(detail="Too Many Requests", code=code))


def record_not_found(record_id: str) -> RefusedError:
    return refuse(
        404, "Record not found", f"The record identified by {record_id} could not be found."
    )


def route_not_found(method: str, path: str) -> RefusedError:
    return refuse(404, "Not Found", f"No operation {method} {path}.")


def malformed(detail: str) -> RefusedError:
    return refuse(400, "Bad Request", detail)


def filter_not_allowed(name: str) -> RefusedError:
    return refuse(400, "Filter not allowed", f"{name} is not allowed.", code="102")


def bad_filter_value(name: str, value: str) -> RefusedError:
    detail = f"{value!r} is not a valid value for {name}."
    return refuse(400, "Invalid filter value", detail, code="107")


def parameter_not_allowed(name: str) -> RefusedError:
    return refuse(400, "Param not allowed", f"{name} is not allowed.", code="105")


def parameter_missing(name: str) -> RefusedError:
    detail = f"The required parameter, {name}, is missing."
    return refuse(400, "Missing Parameter", detail, code="106")


def in_use(what: str, by: str) -> RefusedError:
    return refuse(409, "Resource still in use", f"The {what} is in use by {by}.")


def invalid(pointer: str, message: str) -> Problem:
    """A validation problem, to be sent with 422."""
    name = pointer.rpartition("/")[2]
    return Problem(title=message, detail=f"{name} - {message}", code="100", pointer=pointer)


def unprocessable(pointer: str, message: str) -> RefusedError:
    return RefusedError(422, invalid(pointer, message))
