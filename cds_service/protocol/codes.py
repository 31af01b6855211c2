"""The stable error codes of the service, with their meaning.

An OperationOutcome carries one of them in `issue.details.coding`. A code is never renamed; a new
meaning gets a new code. docs/integrators-guide.md prints this table.
"""

SYSTEM = "urn:leg-cramps-cds:error"

CODES: dict[str, tuple[int, str]] = {
    "body-empty": (400, "The request has no body."),
    "json-malformed": (400, "The body is not JSON (RFC 8259) in UTF-8."),
    "json-duplicate-key": (400, "An object of the body names a key twice."),
    "json-too-deep": (400, "The body is nested too deeply."),
    "body-not-object": (400, "The body is JSON, but not an object."),
    "field-missing": (400, "A required field is missing, null or empty."),
    "field-invalid": (400, "A field has the wrong type or a value that is not allowed."),
    "hook-mismatch": (400, "`hook` is not the hook that this service answers."),
    "feedback-incomplete": (400, "An accepted card names no accepted suggestion."),
    "request-malformed": (400, "The HTTP request itself could not be read."),
    "unauthorized": (401, "The call carries no token, or none that is accepted; the log says why."),
    "service-unknown": (404, "No service has this id."),
    "not-found": (404, "There is nothing at this address."),
    "method-not-allowed": (405, "The address does not answer this method."),
    "data-missing": (412, "Data that the service requires was not sent."),
    "data-of-another-patient": (
        412,
        "Data that the service requires came, of another patient than `context.patientId`.",
    ),
    "data-failed": (
        412,
        "Data that the service requires could not be read, by the EHR or from its FHIR server.",
    ),
    "body-too-large": (413, "The body is larger than the service reads."),
    "too-many-resources": (413, "The request holds more resources than the service reads."),
    "media-type": (415, "The body is not declared as JSON, or is compressed."),
    "internal": (500, "The service failed; the error id is in its log."),
    "rules-failed": (500, "No rule could be evaluated, or no card could be written."),
    "storage-unavailable": (503, "Feedback could not be stored; send it again later."),
    "overloaded": (503, "More calls wait than can be answered in time; `Retry-After` says when."),
    "unavailable": (503, "The service cannot answer now."),
}
