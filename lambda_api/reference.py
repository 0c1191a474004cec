"""The contract as a page for people: rendered from the OpenAPI document, without a script."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

PAGES = Path(__file__).parent / "pages"
STYLE_PATH = PAGES / "reference.css"

_JSON = "application/json"
_REFERENCE = "#/components/schemas/"

Document = dict[str, Any]


def render_reference(document: Document) -> str:
    """One HTML page with every operation, schema and problem of an OpenAPI 3.1 document."""
    environment = Environment(
        loader=FileSystemLoader(PAGES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    environment.filters["type"] = _type
    page = environment.get_template("reference.html")
    return page.render(
        info=document["info"],
        operations=list(_operations(document)),
        schemas=document["components"]["schemas"],
        problems=document["x-problem-types"],
    )


def _prose(text: str) -> Markup:
    """Markdown; whatever looks like HTML in it is shown as text."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))  # noqa: S704


def _operations(document: Document) -> Iterator[dict[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {"content": {}})["content"]
            yield {
                "id": operation["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": operation["summary"],
                "description": operation.get("description", ""),
                "parameters": operation.get("parameters", []),
                "bodies": [
                    {
                        "media_type": media_type,
                        "schema": media["schema"],
                        "example": _example(media["schema"], document),
                    }
                    for media_type, media in body.items()
                ],
                "responses": [
                    _response(status, response, document)
                    for status, response in operation["responses"].items()
                ],
            }


def _response(status: str, response: dict[str, Any], document: Document) -> dict[str, Any]:
    contents = response.get("content", {})
    codes = [code for media in contents.values() for code in media.get("examples", {})]
    schema = contents.get(_JSON, {}).get("schema")
    return {
        "status": status,
        "description": response["description"],
        "media_types": list(contents),
        "codes": codes,
        "schema": schema,
        "example": schema and _example(schema, document),
    }


def _example(schema: dict[str, Any], document: Document) -> str | None:
    """As JSON text; the first one of several alternatives."""
    for each in (schema, *schema.get("oneOf", ())):
        name = each.get("$ref", "").removeprefix(_REFERENCE)
        examples = document["components"]["schemas"].get(name, each).get("examples")
        if examples:
            return json.dumps(examples[0], indent=2, ensure_ascii=False)
    return None


def _type(schema: dict[str, Any]) -> Markup:
    """A schema's kind in a few words, with links to the schemas it names."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_REFERENCE)
        return Markup('<a href="#schema-{0}">{0}</a>').format(name)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return Markup(" or ").join(_type(each) for each in schema[key])
    if "const" in schema:
        return Markup("<code>{}</code>").format(json.dumps(schema["const"]))
    if "enum" in schema:
        return Markup(", ").join(
            Markup("<code>{}</code>").format(json.dumps(each)) for each in schema["enum"]
        )
    if schema.get("type") == "array" and "items" in schema:
        return Markup("array of {}").format(_type(schema["items"]))
    kind = schema.get("type", "any")
    return Markup("{}").format(f"{kind} ({schema['format']})" if "format" in schema else kind)
