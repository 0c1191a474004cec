"""Every setting of the service, read from the environment once, by the entry point."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from detector.analysis import MODEL_PATH, REPORT_PATH

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?")


@dataclass(frozen=True, kw_only=True)
class CloudSettings:
    """Where a service on AWS keeps what it has to keep."""

    media_bucket: str
    jobs_table: str
    queue_url: str


class Settings(BaseSettings):
    """Environment variables that start with ASLI_."""

    model_config = SettingsConfigDict(env_prefix="ASLI_", frozen=True)

    data_dir: Path = Field(
        default=Path("build/data"),
        description="Folder for jobs, results and heatmaps, and for uploads until they are analysed.",
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

    job_lease_seconds: float = Field(
        default=300,
        gt=0,
        description="A worker that was silent for so long has died, and its job is tried again.",
    )
    media_bucket: str | None = Field(
        default=None,
        description="S3 bucket for uploads and heatmaps. With jobs_table and queue_url, it takes "
        "the place of data_dir.",
    )
    jobs_table: str | None = Field(
        default=None, description="DynamoDB table for jobs and idempotency keys."
    )
    queue_url: str | None = Field(
        default=None, description="SQS queue that brings jobs to workers."
    )

    @property
    def cloud(self) -> CloudSettings | None:
        """None where everything is kept in `data_dir`."""
        if self.media_bucket is None or self.jobs_table is None or self.queue_url is None:
            return None
        return CloudSettings(
            media_bucket=self.media_bucket, jobs_table=self.jobs_table, queue_url=self.queue_url
        )

    @model_validator(mode="after")
    def _check_cloud(self) -> Self:
        given = {self.media_bucket is None, self.jobs_table is None, self.queue_url is None}
        if len(given) == 2:
            raise ValueError("ASLI_MEDIA_BUCKET, ASLI_JOBS_TABLE and ASLI_QUEUE_URL go together")
        return self

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
