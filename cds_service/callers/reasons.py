"""Why a token is refused: the words of the log and of `cds_tokens_refused_total`.

The EHR is told none of them. docs/operators-guide.md prints this table.
"""

REASONS = {
    "no-token": "there is no Authorization header",
    "too-long": "the header has more than 8,000 characters",
    "not-a-bearer-token": "the header is no `Bearer` with the three parts of a JWT",
    "not-readable": "header or claims are no JSON object in base64url",
    "header-field": "the header has a field that would change what is checked (`jwk`, `crit`, ...)",
    "iss-missing": "`iss` is missing or no text",
    "alg-missing": "`alg` is missing or no text",
    "kid-missing": "`kid` is missing or no text",
    "jku-missing": "`jku` is there and no text",
    "jti-missing": "`jti` is missing or no text",
    "aud-missing": "`aud` is missing or neither a text nor a list of texts",
    "exp-missing": "`exp` is missing or no number of seconds",
    "iat-missing": "`iat` is missing or no number of seconds",
    "nbf-missing": "`nbf` is there and no number of seconds",
    "issuer": "no client of clients.json has this `iss`",
    "audience": "`aud` is neither the public address of what is called nor one of `audiences`",
    "algorithm": "`alg` is none of the client's `algorithms`",
    "typ": '`typ` is not "JWT"',
    "jku": "`jku` is none of the client's",
    "expired": "`exp` is over",
    "issued-in-the-future": "`iat` is still to come: a clock is wrong",
    "too-old": "`iat` lies further back than `maxTokenAge`",
    "not-yet-valid": "`nbf` is still to come",
    "claim-type": "`tenant` or `sub` is no text",
    "tenant": "`tenant` is none of the client's",
    "subject": "`sub` is not the client's",
    "kid": "the client has no key with this `kid`, or its key server cannot be reached",
    "key-does-not-fit": "the key with this `kid` is not for this `alg`",
    "signature": "the signature is not of this key",
    "replay": "a token with this `iss` and `jti` was used before",
}
