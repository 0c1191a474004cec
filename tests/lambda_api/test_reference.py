import re

import pytest

from lambda_api.security_headers import CONTENT_SECURITY_POLICY
from tests.apps import Caller


@pytest.fixture
def page(call: Caller) -> str:
    response = call("GET", "/v1/docs")
    assert (200, "text/html; charset=utf-8") == (
        response.status_code,
        response.headers["content-type"],
    )
    assert CONTENT_SECURITY_POLICY == response.headers["content-security-policy"]
    return response.text


def test_page_tells_the_whole_contract(call: Caller, page: str) -> None:
    """Every operation, schema and problem code is on the page."""
    document = call("GET", "/v1/openapi.json").json()

    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"<code>{method.upper()} {path}</code>" in page
            assert f'id="{operation["operationId"]}"' in page
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    for code in document["x-problem-types"]:
        assert f'id="problem-{code}"' in page


def test_links_lead_somewhere(page: str) -> None:
    """Every link inside the page has its target."""
    targets = set(re.findall(r'id="([^"]+)"', page))
    links = set(re.findall(r'href="#([^"]+)"', page))

    assert links
    assert links <= targets


def test_page_obeys_the_security_policy(call: Caller, page: str) -> None:
    """No script, no inline style, and its only asset comes from this address."""
    assets = re.findall(r'<link[^>]* href="([^"]+)"', page)

    assert ["/v1/docs/reference.css"] == assets
    assert not re.search(r"<script|<style| style=| on[a-z]+=|src=", page)
    style = call("GET", assets[0])
    assert "text/css; charset=utf-8" == style.headers["content-type"]
    assert "max-width" in style.text


def test_page_says_how_safe_it_is(page: str) -> None:
    """The security note of the contract is on the page."""
    assert "whoever knows one can read and delete" in page
