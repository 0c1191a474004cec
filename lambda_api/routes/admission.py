"""What a route depends on when its requests are counted."""

from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from lambda_api.dependencies import Given
from lambda_api.errors import ProblemCode
from lambda_api.ports import KeyScope
from lambda_api.rates import rate_limit_headers

ADMISSION_CODES = (
    ProblemCode.KEY_INVALID,
    ProblemCode.KEY_SCOPE,
    ProblemCode.RATE_LIMITED,
    ProblemCode.QUOTA_EXCEEDED,
)
"""The problems that such a route declares."""

_describes_the_key = HTTPBearer(
    scheme_name="apiKey",
    description="Optional: a key raises the limits on requests. It reads `asli_…` and is sent as "
    "`Authorization: Bearer asli_…`. Results need no key: whoever knows an id can read it.",
    auto_error=False,  # a wrong key is refused by `Admission`, with a code of ours
)


def _admit(request: Request, given: Given, scope: KeyScope) -> None:
    standings = given.admission.admit(request.scope, request.headers, scope)
    request.state.rate_limit = rate_limit_headers(standings)  # for whatever the answer will be


def _admit_analysis(
    request: Request,
    given: Given,
    _key: Annotated[HTTPAuthorizationCredentials | None, Security(_describes_the_key)],
) -> None:
    _admit(request, given, KeyScope.ANALYSE)


def _admit_message(
    request: Request,
    given: Given,
    _key: Annotated[HTTPAuthorizationCredentials | None, Security(_describes_the_key)],
) -> None:
    _admit(request, given, KeyScope.MESSAGE)


ADMIT_ANALYSIS = Depends(_admit_analysis)
ADMIT_MESSAGE = Depends(_admit_message)
