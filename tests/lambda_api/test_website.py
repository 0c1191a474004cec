from pathlib import Path

import pytest

from detector.analysis import Detector
from lambda_api.security_headers import CONTENT_SECURITY_POLICY
from tests.apps import PROBLEM, Caller, build_app


@pytest.fixture
def site_dir(tmp_path: Path) -> Path:
    """A small site in two languages."""
    folder = tmp_path / "site"
    for name in (
        "index.html",
        "404.html",
        "id/index.html",
        "id/404.html",
        "js/page.js",
        "css/site.css",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def call(tiny_detector: Detector, tmp_path: Path, site_dir: Path) -> Caller:
    return Caller(build_app(tiny_detector, tmp_path / "data", site_dir=site_dir))


@pytest.mark.parametrize(
    ("path", "page", "media_type"),
    [
        ("/", "index.html", "text/html"),
        ("/id/", "id/index.html", "text/html"),
        ("/js/page.js", "js/page.js", "text/javascript"),
        ("/css/site.css", "css/site.css", "text/css"),
    ],
)
def test_pages_are_served(call: Caller, path: str, page: str, media_type: str) -> None:
    """Pages, scripts and styles have their types, the security headers, and are asked for anew."""
    response = call("GET", path)

    assert (200, f"this is {page}") == (response.status_code, response.text)
    assert media_type == response.headers["content-type"].partition(";")[0]
    assert CONTENT_SECURITY_POLICY == response.headers["content-security-policy"]
    assert "nosniff" == response.headers["x-content-type-options"]
    assert "no-referrer" == response.headers["referrer-policy"]
    assert "no-cache" == response.headers["cache-control"]
    assert "x-request-id" in response.headers


def test_policy_allows_nothing_from_elsewhere() -> None:
    """The policy is strict: nothing by default, no inline code, no other host."""
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'; script-src 'self'; ")
    assert not any(word in CONTENT_SECURITY_POLICY for word in ("unsafe", "http", "*"))


def test_missing_page_is_html(call: Caller) -> None:
    """A missing page is answered with the site's own page for that."""
    response = call("GET", "/nothing")

    assert (404, "this is 404.html") == (response.status_code, response.text)
    assert CONTENT_SECURITY_POLICY == response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/id/nothing", "/id/deep/nothing.html"])
def test_missing_page_is_in_its_language(call: Caller, path: str) -> None:
    """Below /id/ the Indonesian page answers."""
    response = call("GET", path)

    assert (404, "this is id/404.html") == (response.status_code, response.text)


def test_missing_page_without_404_page(call: Caller, site_dir: Path) -> None:
    """Without such a page the answer is a problem."""
    (site_dir / "404.html").unlink()

    assert PROBLEM == call("GET", "/nothing").headers["content-type"]


def test_missing_path_of_api_is_a_problem(call: Caller) -> None:
    """Beside a site the API's errors stay problems."""
    for path in ("/v1", "/v1/", "/v1/nothing"):
        response = call("GET", path)
        assert (404, PROBLEM) == (response.status_code, response.headers["content-type"])


def test_page_refuses_other_methods(call: Caller) -> None:
    """Posting to a page is answered with a problem and the right methods."""
    response = call("POST", "/")

    assert (405, "method_not_allowed") == (response.status_code, response.json()["code"])
    assert "GET, HEAD" == response.headers["allow"]


def test_folder_without_slash_is_redirected(call: Caller) -> None:
    """/id leads to /id/."""
    response = call("GET", "/id")

    assert 307 == response.status_code
    assert response.headers["location"].endswith("/id/")


@pytest.mark.parametrize("path", ["/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt"])
def test_nothing_outside_is_served(call: Caller, path: str) -> None:
    """No path leads out of the site's folder."""
    response = call("GET", path)

    assert 404 == response.status_code
    assert "secret" not in response.text.replace("secret.txt", "")
