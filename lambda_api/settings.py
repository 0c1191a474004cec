"""Every setting of the service, read from the environment once, by the entry point."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from detector.analysis import MODEL_PATH, REPORT_PATH

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")


class Settings(BaseSettings):
    """Environment variables that start with ASLI_."""

    model_config = SettingsConfigDict(env_prefix="ASLI_", frozen=True)

    data_dir: Path = Field(
        default=Path("build/data"),
        description="Folder for results and heatmaps; uploads are never stored.",
    )
    site_dir: Path | None = Field(
        default=None, description="The rendered site, if this process serves it."
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Comma-separated origins whose scripts may call the API, such as "
        "https://example.org. Leave it empty where the site comes from the same address, "
        "or where a gateway answers for CORS.",
    )
    max_concurrent_analyses: int = Field(default=2, ge=1, description="More than these wait.")
    max_wait_seconds: float = Field(
        default=10,
        gt=0,
        description="A request that waited this long for its analysis is answered busy.",
    )
    inference_threads: int | None = Field(
        default=None, ge=1, description="Threads for one model run; by default one per core."
    )
    result_ttl_hours: float = Field(
        default=24, gt=0, description="Results are deleted after this time."
    )
    anonymous_per_minute: int = Field(
        default=60, ge=1, description="Analyses and uploads in a minute from one address."
    )
    anonymous_per_day: int = Field(default=1000, ge=1, description="The same in a day.")
    keyed_per_minute: int = Field(
        default=600, ge=1, description="Analyses and uploads in a minute with one API key."
    )
    messages_per_hour: int = Field(
        default=20, ge=1, description="Messages and feedback in an hour from one caller."
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        description="How many proxies of your own stand in front and add to X-Forwarded-For; with 0 "
        "the header is ignored, since anyone can send it.",
    )
    model_path: Path = Field(
        default=MODEL_PATH, description="The ONNX file, with its manifest inside."
    )
    report_path: Path = Field(
        default=REPORT_PATH, description="The evaluation report of that model."
    )
    trust_anchors_path: Path | None = Field(
        default=None,
        description="Certificates in PEM, such as the C2PA trust list. Signatures on a file's "
        "origin that lead to one of them are trusted; without the file, none is.",
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    f"{origin!r} is not an origin: expected a scheme and a host in lower case, "
                    "with no path and no slash at the end"
                )
        return origins
