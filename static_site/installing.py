"""What makes the site installable, and a place to share images to: one manifest for each language."""

from typing import Any

from static_site.catalogue import Catalogue
from static_site.formats import Language

MANIFEST = "manifest.webmanifest"
SERVICE_WORKER = "sw.js"
"""At the root, since a service worker sees only what lies beside or below it."""


def manifest(language: Language, catalogue: Catalogue) -> dict[str, Any]:
    """The web app manifest. Shared files are posted to an address that only the service worker answers."""
    detection = language.address("detect")
    return {
        "id": language.address("index"),
        "name": "Asli",
        "short_name": "Asli",
        "description": str(catalogue.text("layout.description")),
        "lang": language.code,
        "start_url": detection,
        "scope": "/",
        "display": "minimal-ui",
        "background_color": "#f4f6fb",
        "theme_color": "#1a2a63",
        "icons": [
            {"src": f"/icons/{name}.svg", "type": "image/svg+xml", "sizes": "any", "purpose": use}
            for name, use in (("favicon", "any"), ("maskable", "maskable"))
        ],
        "share_target": {
            "action": f"{language.folder}/share",
            "method": "POST",
            "enctype": "multipart/form-data",
            "params": {"files": [{"name": "files", "accept": ["image/*", "video/*"]}]},
        },
    }
