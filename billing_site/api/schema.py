"""The OpenAPI 3.1 document at /api/schema/ and its page at /api/docs/, all of it served from here (no outside host)."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from billing_site.api.idempotency import LONGEST_KEY
from billing_site.api.problems import MEDIA_TYPE, PROBLEMS_PAGE, title_of
from billing_site.api.scopes import is_vendor_only, required_scope

METHODS: Final = ("get", "post", "put", "patch", "delete")

CONVENTIONS: Final = f"""

- **Keys**: `Authorization: Bearer key_…`. A key has scopes, and may be confined to one account.
- **Amounts and quantities** are exact decimal strings (`"12.34"`); JSON numbers are read exactly too.
- **Times** are RFC 3339 with an offset; answers are in UTC.
- **Lists** are pages: `?limit=` and `?cursor=`; `next_cursor` is null on the last one.
- **Errors** are problem documents (RFC 9457). Decide by `code`: [all codes]({PROBLEMS_PAGE}).
- **Idempotency-Key** on a POST: sent again with the same body, it is answered with the first answer, for 30 days.
"""

PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "Where the code is explained."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence that names the fix."},
        "code": {"type": "string", "description": "Stable; see the list of codes."},
        "errors": {
            "type": "object",
            "description": "What is expected, by the name of the field: `prices.3.unit_price`.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}

PROBLEM_EXAMPLES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "400": (
        "Malformed",
        {"code": "malformed", "detail": "The body is not valid JSON: Expecting value: line 1 column 12"},
    ),
    "401": ("No key, or one that is not valid", {"code": "invalid_api_key", "detail": "The API key is not valid."}),
    "402": (
        "Not enough credit",
        {"code": "not_enough_credit", "detail": "The wallet has 4.20 to spend, less than the 10.00 that should leave it."},
    ),
    "403": ("The key may not", {"code": "missing_scope", "detail": "This needs a key with the scope wallets:write."}),
    "404": (
        "Not there, or another account's",
        {"code": "not_found", "detail": "There is no wallet wal_9YhQ3mZ1kT5cB7."},
    ),
    "409": ("Not in this state", {"code": "account_exists", "detail": "There is an account acme already."}),
    "413": (
        "More than 16 MiB",
        {"code": "body_too_large", "detail": "The body has 17825792 bytes; at most 16777216 are taken."},
    ),
    "422": (
        "Well-formed, but refused",
        {"code": "invalid", "detail": "Some fields are not acceptable.", "errors": {"amount": ["more than zero"]}},
    ),
    "429": ("Too many requests; see Retry-After", {"code": "rate_limited", "detail": "Request was throttled."}),
    "503": (
        "Busy; see Retry-After",
        {"code": "lock_busy", "detail": "The wallet is busy; send the request again in a moment."},
    ),
}


class ApiSchema(AutoSchema):
    """What a view declares, told in the document: its scope, whether a confined key may, and its Idempotency-Key."""

    def get_description(self) -> str:  # type: ignore[override] # drf-spectacular's own signature
        """The view's sentence and the scope it needs."""
        said = super().get_description()
        scope = required_scope(self.view, self.method)
        lines = [said, f"Needs the scope `{scope}`." if scope else ""]
        if is_vendor_only(self.view, self.method):
            lines.append("Not for a key confined to one account.")
        return "\n\n".join(line for line in lines if line)

    def get_override_parameters(self) -> list[Any]:
        """The header an idempotent view reads."""
        found: list[Any] = list(super().get_override_parameters())
        if self.method == "POST" and getattr(self.view, "idempotent", False):
            found.append(
                OpenApiParameter(
                    name="Idempotency-Key",
                    location=OpenApiParameter.HEADER,
                    type={"type": "string", "maxLength": LONGEST_KEY},
                    description="The same key and body is answered with the first answer, for 30 days.",
                )
            )
        return found


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:  # noqa: ARG001, FBT001
    """Post-processing hook: every operation may answer with a problem document, with an example each."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = PROBLEM_SCHEMA
    for status, (said, example) in PROBLEM_EXAMPLES.items():
        document = {
            "type": f"{PROBLEMS_PAGE}#{example['code']}",
            "title": title_of(example["code"]),
            "status": int(status),
            **example,
        }
        media = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": document}
        components.setdefault("responses", {})[f"Problem{status}"] = {
            "description": said,
            "content": {MEDIA_TYPE: media},
        }
    result["info"]["description"] += CONVENTIONS
    for path, operations in result.get("paths", {}).items():
        for method in METHODS:
            if method in operations:
                _add_to(operations[method], path, method)
    return result


def _add_to(operation: dict[str, Any], path: str, method: str) -> None:
    may = {"401", "403", "429", "503"}
    if "{" in path:
        may.add("404")
    if operation["operationId"] == "transfer_credit":
        may.add("402")
    if method != "get":
        may |= {"400", "409", "413", "422"}
    if any(one["in"] == "query" for one in operation.get("parameters", ())):
        may.add("422")
    for status in sorted(may):
        operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
