"""The JSON that leaves the service. Fields may be added to it, but none is removed within /v1."""

import dataclasses
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from detector.claims import Claim, SignatureState, Source
from detector.image import EXTENSIONS
from detector.provenance import ProvenanceState
from detector.suitability import LOWEST_JUDGED_JPEG_QUALITY
from detector.verdict import SMALLEST_JUDGED_SIDE, Reason, Verdict
from lambda_api.admission import Rates as RatesInForce
from lambda_api.desk import MAX_MESSAGE_CHARACTERS, MIN_MESSAGE_CHARACTERS
from lambda_api.errors import ProblemCode
from lambda_api.jobs import Job
from lambda_api.ports import Feedback, MediaDetector, MessageKind, VisitorMessage
from lambda_api.services import UPLOAD_CONTENT_TYPES, ServiceLimits

Share = Annotated[float, Field(ge=0, le=1)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

_ID = "det_q1Xn0b2rQ6mZ3xk8f9TtLwA7"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class Stability(BaseModel):
    """The scores of the same image after being saved again as chats and web sites do."""

    min: Share = Field(description="Lowest score of the re-saves.")
    max: Share = Field(description="Highest score of the re-saves.")
    variants: list[str] = Field(description="How the image was saved again.")


class PixelEvidence(BaseModel):
    """What the pixels say."""

    score: Share | None = Field(
        description="Calibrated score; null when there is none, never 0 instead."
    )
    band: Verdict | None = Field(description="The band in which the score falls.")
    calibrated: bool
    stability: Stability | None = Field(
        default=None,
        description="Null where nothing was scored. With `unstable_under_resave` among the reasons, "
        "a clear answer was withheld because of it.",
    )


class ProvenanceSignal(BaseModel):
    """One thing that the file says about its own origin."""

    source: Source = Field(description="Where in the file it stands.")
    claim: Claim = Field(description="What it says; unknown where it cannot be relied upon.")
    validation: SignatureState = Field(description="Whether it is signed, and if so, by whom.")
    detail: str | None = Field(
        description="Name of the signer or of the generator. A signer that is not trusted chose "
        "the name freely."
    )


class Provenance(BaseModel):
    """What the file says about its own origin. It changes neither the score nor the verdict."""

    state: ProvenanceState = Field(
        description="The fate of the newest signature, or that there is none."
    )
    signals: list[ProvenanceSignal] = Field(description="Signed ones first.")
    disagrees: bool = Field(
        description="Whether the file and the verdict contradict each other. Neither is preferred."
    )


class Media(BaseModel):
    """What is known about the file without judging it."""

    kind: Literal["image", "video"]
    sha256: Sha256
    bytes: int
    width: int = Field(description="In pixels, once upright.")
    height: int = Field(description="In pixels, once upright.")
    format: str
    jpeg_quality_estimate: int | None = Field(description="1 to 100; null for other formats.")
    duration_seconds: float | None = Field(
        default=None, description="Of the whole video; null for images."
    )


class ScoredFrame(BaseModel):
    """One frame of a video that was looked at."""

    t: float = Field(ge=0, description="Seconds from the start.")
    score: Share


class Segment(BaseModel):
    """A stretch of a video whose frames all lie in the likely-AI band."""

    start: float = Field(ge=0, description="Seconds from the start.")
    end: float = Field(ge=0, description="Seconds from the start.")


class AnalysedMedia(Media):
    """What is known about the file, and whether anything of it is left."""

    media_deleted_at: datetime | None = Field(
        description="When the file of a job was deleted; null while that is still to be done, and "
        "for a file that was answered in the same request, which is never stored."
    )


class ExpectedErrors(BaseModel):
    """Errors measured on test images in the condition that this file is in."""

    condition: str
    false_positive_rate: Share = Field(
        description="Share of photographs that were called likely AI."
    )
    ci95: tuple[float, float] = Field(description="95 per cent interval of `false_positive_rate`.")
    n_real: int = Field(title="Photographs", description="How many photographs were measured.")
    miss_rate: Share = Field(description="Share of AI images in which no signs were found.")
    n_ai: int = Field(title="AI images", description="How many AI images were measured.")


class Model(BaseModel):
    """Which model spoke."""

    id: str
    version: str
    weights_sha256: Sha256
    evaluation_id: str


class DetectionResult(BaseModel):
    """A finished analysis."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "status": "succeeded",
                    "created_at": "2026-10-06T09:30:00Z",
                    "expires_at": "2026-10-07T09:30:00Z",
                    "verdict": "inconclusive",
                    "reasons": ["score_middle"],
                    "pixel": {
                        "score": 0.61,
                        "band": "inconclusive",
                        "calibrated": True,
                        "stability": {
                            "min": 0.42,
                            "max": 0.74,
                            "variants": ["jpeg_75", "jpeg_50", "resize_768"],
                        },
                    },
                    "provenance": {
                        "state": "trusted",
                        "signals": [
                            {
                                "source": "c2pa",
                                "claim": "edited_with_ai",
                                "validation": "trusted",
                                "detail": "Example Camera Company",
                            }
                        ],
                        "disagrees": False,
                    },
                    "media": {
                        "kind": "image",
                        "sha256": _SHA256,
                        "bytes": 812345,
                        "width": 1080,
                        "height": 1350,
                        "format": "jpeg",
                        "jpeg_quality_estimate": 58,
                        "media_deleted_at": "2026-10-06T09:30:01Z",
                    },
                    "expected_errors": {
                        "condition": "web",
                        "false_positive_rate": 0.021,
                        "ci95": [0.011, 0.036],
                        "n_real": 612,
                        "miss_rate": 0.24,
                        "n_ai": 540,
                    },
                    "model": {
                        "id": "resnet50-example",
                        "version": "0.1.0",
                        "weights_sha256": _SHA256,
                        "evaluation_id": "evaluation-example",
                    },
                    "warnings": [],
                    "timings_ms": {
                        "decode": 24.1,
                        "suitability": 9.3,
                        "score": 180.2,
                        "heatmap": 31.0,
                        "provenance": 1.2,
                        "total": 245.8,
                    },
                    "heatmap_url": f"/v1/detections/{_ID}/heatmap",
                }
            ]
        }
    )

    id: str = Field(description="Whoever knows it can read and delete the result.")
    status: Literal["succeeded"]
    created_at: datetime
    expires_at: datetime = Field(description="From then on the result is gone.")
    verdict: Verdict
    reasons: list[Reason]
    pixel: PixelEvidence
    provenance: Provenance
    media: AnalysedMedia
    expected_errors: ExpectedErrors | None = Field(description="Null where none were measured.")
    model: Model
    warnings: list[str]
    timings_ms: dict[str, float] = Field(description="Milliseconds per step, and their total.")
    frames: list[ScoredFrame] | None = Field(
        default=None,
        description="Of a video, in the order of time; null for images, as the next four.",
    )
    segments: list[Segment] | None = None
    aggregation: str | None = Field(
        default=None,
        description="Name of the rule that makes one score of many frames. `quarter_of_frames`: the "
        "score that at least a quarter of them reach, and never fewer than two.",
    )
    analysed_seconds: float | None = Field(
        default=None, description="How much of the video's beginning was looked at."
    )
    audio_analysed: bool | None = Field(default=None, description="False: sound is not analysed.")
    heatmap_url: str | None = Field(
        description="Path of a transparent PNG that lies over the image. Null where nothing was scored, "
        "and for a model whose heatmaps were not verified."
    )

    @classmethod
    def of(cls, job: Job) -> Self:
        """The public form of a job that succeeded."""
        assert job.analysis is not None
        media = {**job.analysis["media"], "media_deleted_at": job.media_deleted_at}
        heatmap_url = f"/v1/detections/{job.id}/heatmap" if job.has_heatmap else None
        return cls.model_validate(
            {
                **job.analysis,
                "id": job.id,
                "status": job.status,
                "created_at": job.created_at,
                "expires_at": job.expires_at,
                "media": media,
                "heatmap_url": heatmap_url,
            }
        )


class PendingDetection(BaseModel):
    """A job on its way."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "status": "processing",
                    "created_at": "2026-10-06T09:30:00Z",
                    "expires_at": "2026-10-07T09:30:00Z",
                    "progress": 0.25,
                }
            ]
        }
    )

    id: str = Field(description="Whoever knows it can read and delete the job.")
    status: Literal["awaiting_upload", "queued", "processing"]
    created_at: datetime
    expires_at: datetime = Field(description="From then on the job is gone.")
    progress: Share = Field(description="Share of the analysis that is done.")

    @classmethod
    def of(cls, job: Job) -> Self:
        """The public form of a job that is not finished."""
        return cls.model_validate(job, from_attributes=True)


class JobFailure(BaseModel):
    """Why a job failed, in the words of a problem."""

    type: str = Field(description="A reference to this kind of problem in the contract.")
    title: str
    status: int
    detail: str
    code: ProblemCode


class FailedMedia(BaseModel):
    """Whether anything of the file is left."""

    media_deleted_at: datetime | None = Field(
        description="When the uploaded file was deleted; null while that is still to be done."
    )


class FailedDetection(BaseModel):
    """A job that ended without a result."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "status": "failed",
                    "created_at": "2026-10-06T09:30:00Z",
                    "expires_at": "2026-10-07T09:30:00Z",
                    "problem": {
                        "type": "/v1/openapi.json#/x-problem-types/undecodable_media",
                        "title": "The file cannot be read",
                        "status": 422,
                        "detail": "The file is damaged or incomplete.",
                        "code": "undecodable_media",
                    },
                    "media": {"media_deleted_at": "2026-10-06T09:30:01Z"},
                }
            ]
        }
    )

    id: str = Field(description="Whoever knows it can read and delete the job.")
    status: Literal["failed"]
    created_at: datetime
    expires_at: datetime = Field(description="From then on the job is gone.")
    problem: JobFailure
    media: FailedMedia


AnyDetection = Annotated[
    DetectionResult | PendingDetection | FailedDetection, Field(discriminator="status")
]
"""What is known under an id."""


class UploadRequest(BaseModel):
    """A file that is going to be uploaded."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content_type": "image/jpeg", "bytes": 7340032}]}
    )

    content_type: str = Field(
        max_length=100,
        description="One of the `upload_content_types` of /v1/limits. It is checked against the "
        "form, and files are judged by their bytes.",
    )
    bytes: int = Field(ge=1, le=2**53 - 1, strict=True, description="Size of the file.")


class UploadTicket(BaseModel):
    """Where and how to upload: post `fields`, then the file as `file`, as multipart/form-data."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "upload_id": _ID,
                    "url": "https://uploads-example.s3.eu-west-1.amazonaws.com/",
                    "fields": {
                        "key": f"uploads/{_ID}",
                        "Content-Type": "image/jpeg",
                        "policy": "eyJleHBpcmF0aW9uIjogIi4uLiJ9",
                        "x-amz-algorithm": "AWS4-HMAC-SHA256",
                        "x-amz-signature": "0d1f…",
                    },
                    "max_bytes": 7340032,
                    "expires_at": "2026-10-06T09:35:00Z",
                }
            ]
        }
    )

    upload_id: str = Field(
        description="Send it to POST /v1/detections; it is the id of the detection too."
    )
    url: str = Field(description="Where to post the form. It takes no other method.")
    fields: dict[str, str] = Field(description="The form's fields, in this order, before the file.")
    max_bytes: int = Field(description="A larger file is refused.")
    expires_at: datetime = Field(description="From then on the form is refused.")


class Submission(BaseModel):
    """A file that was uploaded and is to be analysed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"upload_id": _ID}]})

    upload_id: str = Field(max_length=200)


class Bands(BaseModel):
    """Limits on the score. Below `low`: no AI signs found; from `high`: likely AI."""

    low: Share
    high: Share


class Calibration(BaseModel):
    """score = sigmoid(slope * logit + bias)"""

    method: Literal["platt"]
    slope: float
    bias: float


class Preprocessing(BaseModel):
    """How an image is cut into the crops that the model sees."""

    crop_size_px: int
    max_crops_per_axis: int
    max_long_side_px: int = Field(description="Larger images are reduced to this first.")


class ModelCard(BaseModel):
    """The model as data: what it is, how its score is read, and what was measured."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "resnet50-example",
                    "version": "0.1.0",
                    "weights_sha256": _SHA256,
                    "precision": "int8",
                    "recipe": "example",
                    "trained_on": ["stylegan"],
                    "commit": "0123abc",
                    "bands": {"low": 0.2, "high": 0.8},
                    "video_bands": {"low": 0.1, "high": 0.7},
                    "calibration": {"method": "platt", "slope": 1.1, "bias": -0.2},
                    "preprocessing": {
                        "crop_size_px": 224,
                        "max_crops_per_axis": 3,
                        "max_long_side_px": 1024,
                    },
                    "heatmap_is_verified": True,
                    "evaluation_id": "evaluation-example",
                    "evaluation": {
                        "id": "evaluation-example",
                        "expected_errors": {
                            "clean": {
                                "false_positive_rate": 0.01,
                                "ci95": [0.004, 0.022],
                                "n_real": 612,
                                "miss_rate": 0.2,
                                "n_ai": 540,
                            }
                        },
                    },
                }
            ]
        }
    )

    id: str
    version: str
    weights_sha256: Sha256
    precision: str
    recipe: str = Field(description="Name of the training run's configuration.")
    trained_on: list[str] = Field(description="Generators whose images were in the training data.")
    commit: str = Field(description="Commit of the training code.")
    bands: Bands
    video_bands: Bands | None = Field(
        description="Those for videos; null for a model that was not measured on footage."
    )
    calibration: Calibration
    preprocessing: Preprocessing
    heatmap_is_verified: bool = Field(
        description="Whether heatmaps were measured to point at what scores come from; if not, none is made."
    )
    evaluation_id: str
    evaluation: dict[str, Any] = Field(
        description="The evaluation report that belongs to these weights."
    )

    @classmethod
    def of(cls, detector: MediaDetector) -> Self:
        """The public form of a loaded model; the names of its training labels stay inside."""
        manifest, spec = detector.manifest, detector.manifest.spec
        video = manifest.video
        return cls(
            id=manifest.model_id,
            version=manifest.version,
            weights_sha256=detector.model.weights_sha256,
            precision=manifest.precision,
            recipe=manifest.recipe,
            trained_on=list(manifest.trained_on),
            commit=manifest.commit,
            bands=Bands(low=manifest.bands.low, high=manifest.bands.high),
            video_bands=Bands(low=video.bands.low, high=video.bands.high) if video else None,
            calibration=Calibration(
                method="platt", slope=manifest.calibration.slope, bias=manifest.calibration.bias
            ),
            preprocessing=Preprocessing(
                crop_size_px=spec.crop_size,
                max_crops_per_axis=spec.max_crops_per_axis,
                max_long_side_px=spec.max_long_side,
            ),
            heatmap_is_verified=detector.report.heatmap_is_verified,
            evaluation_id=manifest.evaluation_id,
            evaluation=detector.report.values,
        )


class MediaFormat(BaseModel):
    """A file format that is read. Files are judged by their bytes, whatever their names say."""

    name: str
    media_type: str
    extensions: list[str]


class Rates(BaseModel):
    """How many requests that start something one caller may send, in windows that slide."""

    anonymous_per_minute: int = Field(description="Analyses and uploads, per network address.")
    anonymous_per_day: int = Field(description="The same, in 24 hours.")
    keyed_per_minute: int = Field(description="Analyses and uploads, per API key.")
    messages_per_hour: int = Field(description="Messages and feedback, per caller.")


class Limits(BaseModel):
    """What is accepted and for how long results are kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "formats": [
                        {
                            "name": "jpeg",
                            "media_type": "image/jpeg",
                            "extensions": [".jpg", ".jpeg"],
                        }
                    ],
                    "max_upload_bytes": 4194304,
                    "max_file_bytes": 20000000,
                    "max_video_bytes": 100000000,
                    "analysed_video_seconds": 120.0,
                    "upload_content_types": ["image/jpeg"],
                    "upload_form_seconds": 300,
                    "max_pixels": 50000000,
                    "min_side_px": 64,
                    "smallest_judged_side_px": 128,
                    "lowest_judged_jpeg_quality": 40,
                    "files_per_request": 1,
                    "result_retention_hours": 24,
                    "rates": {
                        "anonymous_per_minute": 60,
                        "anonymous_per_day": 1000,
                        "keyed_per_minute": 600,
                        "messages_per_hour": 20,
                    },
                    "message_characters": [10, 2000],
                }
            ]
        }
    )

    formats: list[MediaFormat]
    max_upload_bytes: int = Field(description="Of a file sent in one request to this API.")
    max_file_bytes: int = Field(description="Of an image that is uploaded through /v1/uploads.")
    max_video_bytes: int = Field(description="Of a video that is uploaded through /v1/uploads.")
    analysed_video_seconds: float = Field(description="Of a longer video only the beginning.")
    upload_content_types: list[str] = Field(description="What an upload may be declared as.")
    upload_form_seconds: int = Field(description="For so long the form of an upload is valid.")
    max_pixels: int = Field(description="Width times height.")
    min_side_px: int = Field(description="A shorter side is refused.")
    smallest_judged_side_px: int = Field(description="A shorter side is at best inconclusive.")
    lowest_judged_jpeg_quality: int = Field(
        description="A lower estimated quality is at best inconclusive."
    )
    files_per_request: int
    result_retention_hours: float = Field(description="Results are deleted after this time.")
    rates: Rates
    message_characters: tuple[int, int] = Field(
        description="Fewest and most characters of a message."
    )

    @classmethod
    def of(cls, limits: ServiceLimits, rates: RatesInForce) -> Self:
        """The public form of the limits in force."""
        return cls(
            formats=[
                MediaFormat(name=name, media_type=f"image/{name}", extensions=list(extensions))
                for name, extensions in EXTENSIONS.items()
            ],
            max_upload_bytes=limits.max_upload_bytes,
            max_file_bytes=limits.image.max_bytes,
            max_video_bytes=limits.video.max_bytes,
            analysed_video_seconds=limits.video.max_seconds,
            upload_content_types=list(UPLOAD_CONTENT_TYPES),
            upload_form_seconds=round(limits.form_lifetime.total_seconds()),
            max_pixels=limits.image.max_pixels,
            min_side_px=limits.image.min_side,
            smallest_judged_side_px=SMALLEST_JUDGED_SIDE,
            lowest_judged_jpeg_quality=LOWEST_JUDGED_JPEG_QUALITY,
            files_per_request=1,
            result_retention_hours=limits.result_lifetime.total_seconds() / 3600,
            rates=Rates(**dataclasses.asdict(rates)),
            message_characters=(MIN_MESSAGE_CHARACTERS, MAX_MESSAGE_CHARACTERS),
        )


class MessageIn(BaseModel):
    """What somebody wants to tell us."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={
            "examples": [
                {
                    "kind": "question",
                    "text": "Does the detector know pictures of this generator?",
                    "email": "name@example.org",
                }
            ]
        },
    )

    kind: MessageKind
    text: Annotated[
        str, Field(min_length=MIN_MESSAGE_CHARACTERS, max_length=MAX_MESSAGE_CHARACTERS)
    ]
    email: Annotated[
        str | None,
        Field(
            max_length=254,
            pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
            description="For an answer; optional.",
        ),
    ] = None


class FeedbackIn(BaseModel):
    """What somebody who knows the file says about a result."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"label": "photograph"}]}
    )

    label: Literal["made_with_ai", "photograph", "other"] = Field(
        description="What the file is, as far as you know."
    )
    keep_media: bool = Field(
        default=False,
        description="Whether the file may be kept. It then has to be sent again, in a form.",
    )


class Receipt(BaseModel):
    """Something was stored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reference": "7KQM-2XRA-9BDT",
                    "created_at": "2026-10-06T09:30:00Z",
                    "expires_at": "2027-10-06T09:30:00Z",
                }
            ]
        }
    )

    reference: str = Field(description="Quote it to come back to this.")
    created_at: datetime
    expires_at: datetime = Field(description="From then on it is deleted.")

    @classmethod
    def of(cls, stored: VisitorMessage | Feedback) -> Self:
        """The public form: nothing of the content."""
        return cls(
            reference=stored.reference, created_at=stored.created_at, expires_at=stored.expires_at
        )


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """The model is loaded."""

    status: Literal["ready"] = "ready"


class FieldProblem(BaseModel):
    """One thing wrong with one part of a request."""

    field: str
    detail: str


class Problem(BaseModel):
    """An error as RFC 9457 describes it. Act on `code`; the other texts are for people."""

    type: str = Field(description="A reference to this kind of problem in the contract.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The path that was asked for.")
    code: ProblemCode
    request_id: str = Field(
        description="Also in the X-Request-Id header. Quote it when asking for help."
    )
    limit: int | None = Field(
        default=None, description="The number that was exceeded or not reached."
    )
    retry_after: int | None = Field(
        default=None, description="Seconds; also in the Retry-After header."
    )
    errors: list[FieldProblem] | None = None
