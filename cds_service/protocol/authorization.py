"""`fhirAuthorization` of a request (spec: Passing the Access Token, rows F4 to F9)."""

from math import isfinite
from typing import Any

from cds_service.errors import BadRequest
from cds_service.protocol.model import FhirAuthorization

_FIELD = "fhirAuthorization"


def read(value: Any, fhir_server: str, warnings: list[str]) -> FhirAuthorization | None:
    """The access token, or None where there is none that can be used.

    Whatever is wrong with it is a warning: most calls bring all that they need. Where something has
    to be read, the call is refused for want of a token (`gather.access`).
    """
    if value is None:
        return None
    try:
        return _read(value, fhir_server, warnings)
    except BadRequest as error:
        warnings.append(f"fhirAuthorization was ignored: {error}")
        return None


def _read(value: Any, fhir_server: str, warnings: list[str]) -> FhirAuthorization | None:
    """Without a token it is None, too: clients send it so that never logged in."""
    if not isinstance(value, dict):
        raise BadRequest("field-invalid", f"{_FIELD} must be an object.", _FIELD)
    token = value.get("access_token")
    if token is None or token == "":
        warnings.append("fhirAuthorization has no token and was ignored")
        return None
    if not isinstance(token, str):
        raise _invalid("access_token", "a string")
    if not fhir_server:
        raise BadRequest(
            "field-missing", "fhirAuthorization needs fhirServer beside it.", "fhirServer"
        )
    return FhirAuthorization(
        access_token=token,
        token_type=_token_type(value),
        expires_in=_seconds(value),
        scope=_string(value, "scope"),
        subject=_string(value, "subject"),
        patient=_patient(value),
    )


def _token_type(value: dict[str, Any]) -> str:
    if _string(value, "token_type").lower() != "bearer":
        raise _invalid("token_type", "Bearer")
    return "Bearer"


def _seconds(value: dict[str, Any]) -> int:
    seconds = value.get("expires_in")
    if seconds is None:
        raise _missing("expires_in")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not _whole(seconds):
        raise _invalid("expires_in", "a whole number of seconds")
    return int(seconds)


def _whole(seconds: float) -> bool:
    """Whether a number is whole; one beyond a double (1e400, 400 digits) is none."""
    try:
        return isfinite(seconds) and seconds == int(seconds)
    except OverflowError:
        return False


def _string(value: dict[str, Any], name: str) -> str:
    text = value.get(name)
    if text is None or text == "":
        raise _missing(name)
    if not isinstance(text, str):
        raise _invalid(name, "a string")
    return text


def _patient(value: dict[str, Any]) -> str:
    patient = value.get("patient")
    return patient.rsplit("/", 1)[-1] if isinstance(patient, str) else ""


def _missing(name: str) -> BadRequest:
    return BadRequest("field-missing", f"{_FIELD}.{name} is required.", f"{_FIELD}.{name}")


def _invalid(name: str, expected: str) -> BadRequest:
    return BadRequest("field-invalid", f"{_FIELD}.{name} must be {expected}.", f"{_FIELD}.{name}")
