"""Answers and refusals in the server's own words (Handler.php:217-246, recorded on 5.10.42)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.php import php_json

MINIMUM_CLIENT = "5.0.16"
PAGE = '<!DOCTYPE html>\n<html lang="en">\n<head><title>{title}</title></head>\n<body></body>\n</html>\n'


class Refused(Exception):
    """An answer that ends the handling of a request.

    `body` is sent as JSON; a caller who did not ask for JSON gets an HTML page with `plain` as its status instead,
    unless `plain` is None (the server then answers JSON to everybody).
    """

    def __init__(self, status: int, body: dict[str, Any], plain: int | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.plain = status, body, plain


def json_answer(value: Any, status: int = 200) -> Response:
    """Pretty-printed JSON, as clients, companies and statics are sent."""
    return Response(php_json.pretty(value), status, media_type="application/json")


def compact_answer(value: Any, status: int = 200) -> Response:
    """JSON without blanks, as ping and errors are sent."""
    return Response(php_json.compact(value), status, media_type="application/json")


def html_answer(title: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A page for browsers; the real ones are longer."""
    return Response(PAGE.format(title=title), status, headers, media_type="text/html")


def refusal(refused: Refused, *, wants_json: bool, home: str) -> Response:
    """The answer to a refused request. After a form with errors, a browser is sent to `home`."""
    if wants_json or refused.plain is None:
        server_error = refused.status == 500  # noqa: PLR2004 - the one error that is pretty-printed
        return (json_answer if server_error else compact_answer)(refused.body, refused.status)
    if refused.plain == 302:  # noqa: PLR2004 - Found
        return html_answer("Redirecting", 302, {"Location": home})
    return html_answer(
        {403: "Forbidden", 404: "Not Found", 405: "Not Allowed"}.get(refused.plain, "Error"), refused.plain
    )


def bad_token(message: str = "Invalid token", *, bare: bool = False) -> Refused:
    """403, as JSON to everybody (TokenAuth.php:44-99)."""
    return Refused(403, {"message": message} if bare else {"message": message, "errors": {}})


def bad_password() -> Refused:
    """412, as JSON to everybody (PasswordProtection.php)."""
    return Refused(412, {"message": "Invalid Password", "errors": {}})


def forbidden() -> Refused:
    """401: a policy said no, or the row is another company's."""
    return Refused(401, {"message": "This action is unauthorized."}, plain=403)


def not_found(model: str) -> Refused:
    """400: no such row."""
    return Refused(400, {"message": f"No query results for model [App\\Models\\{model}]."}, plain=404)


def numeric_id(value: str) -> Refused:
    """400: a number where a hashed id belongs (BaseModel.php:220-229)."""
    return Refused(400, {"message": f"Record with value {value} not found"}, plain=404)


def bad_request(message: str, plain: int | None = None) -> Refused:
    """400 with its own words."""
    return Refused(400, {"message": message}, plain)


def malformed_json() -> Refused:
    """400: a body that claims to be JSON and is not (5.12 and later)."""
    return Refused(400, {"message": "Malformed JSON payload.", "error": "Invalid JSON data provided"})


def invalid(errors: Mapping[str, list[str]]) -> Refused:
    """422: field by field."""
    return Refused(422, {"message": "The given data was invalid.", "errors": dict(errors)}, plain=302)


def server_error() -> Refused:
    """500, where the real server throws on the same input."""
    return Refused(500, {"message": "Server Error"}, plain=500)


def wrong_verb() -> Refused:
    """404: 405 is never used for callers who want JSON (Handler.php:240-241)."""
    return Refused(404, {"message": "Method not supported for this route"}, plain=405)
