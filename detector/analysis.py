"""The whole way from a file's bytes to what we say about it, in one readable function."""

import dataclasses
import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from detector.classifier import OnnxClassifier
from detector.conditions import condition_of
from detector.errors import ModelLoadError
from detector.evaluation import EvaluationReport, ExpectedErrors
from detector.heatmap import render_heatmap
from detector.image import ImageLimits, MediaFacts, decode_image, sniff_format
from detector.manifest import ModelManifest
from detector.preprocess import cut_crops, shrink_to
from detector.provenance import Provenance, load_trust_anchors, read_provenance
from detector.stability import Stability, score_with_resaves
from detector.suitability import find_obstacles
from detector.verdict import (
    EXCLUDING,
    UNMEASURED,
    Decision,
    Reason,
    Verdict,
    decide,
    decide_video,
)
from detector.video import (
    AGGREGATION,
    VIDEO,
    Progress,
    ScoredFrame,
    Timeline,
    aggregate,
    find_segments,
    frame_logits,
)
from detector.video_container import SNIFFED_BYTES, sniff_video
from detector.video_file import VideoFile, VideoLimits, open_video

MODELS = Path(__file__).parent / "models"
MODEL_PATH = MODELS / "resnet50.onnx"
REPORT_PATH = MODELS / "report.json"

LARGER_THAN_MEASURED = "larger_than_measured"
"""Warning: the photographs whose errors are given were smaller than this image."""
INCOMPLETE_VIDEO = "incomplete_video"
"""Warning: the video ends early or is damaged; what could be read of it was analysed."""
BEGINNING_ONLY = "beginning_only"
"""Warning: the video is longer than what is analysed of it."""


@dataclass(frozen=True)
class PixelEvidence:
    """What the pixels say. `score` is the calibrated probability in 0..1, or None when there is none."""

    score: float | None
    band: Verdict | None
    calibrated: bool = True
    stability: Stability | None = None
    """None when nothing was scored."""


@dataclass(frozen=True)
class ModelInfo:
    """Which model spoke."""

    id: str
    version: str
    weights_sha256: str
    evaluation_id: str


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What is found out about one file; the same for the command line, the API and the site."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    pixel: PixelEvidence
    provenance: Provenance
    media: MediaFacts
    expected_errors: ExpectedErrors | None
    model: ModelInfo
    warnings: tuple[str, ...]
    timings_ms: dict[str, float]
    heatmap_png: bytes | None = dataclasses.field(repr=False)
    """Transparent PNG over the image, or None when it was not asked for."""
    timeline: Timeline | None = None
    """Of a video."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON-ready values, without the heatmap's bytes; a video's timeline lies beside the rest."""
        values = dataclasses.asdict(dataclasses.replace(self, heatmap_png=None))
        del values["heatmap_png"]
        values |= values.pop("timeline") or {}
        plain: dict[str, Any] = json.loads(json.dumps(values))
        return plain


@dataclass(frozen=True)
class Detector:
    """A loaded model with its evaluation report. Safe to share between threads."""

    classifier: OnnxClassifier
    report: EvaluationReport
    limits: ImageLimits = dataclasses.field(default_factory=ImageLimits)
    video_limits: VideoLimits = dataclasses.field(default_factory=VideoLimits)
    trust_anchors: str = ""
    """Certificates in PEM whose signers of provenance are trusted; by default none."""

    @classmethod
    def load(
        cls,
        model_path: Path = MODEL_PATH,
        report_path: Path = REPORT_PATH,
        *,
        threads: int | None = None,
        trust_anchors_path: Path | None = None,
    ) -> "Detector":
        """Load a model and its report, and the certificates of trusted signers, if any.

        Raises ModelLoadError when one is missing or damaged, or when they do not belong together.
        """
        classifier = OnnxClassifier.load(model_path, threads=threads)
        report = EvaluationReport.load(report_path)
        if report.weights_sha256 != classifier.weights_sha256:
            raise ModelLoadError(
                f"{report_path.name} measures another model than {model_path.name}."
            )
        trust_anchors = load_trust_anchors(trust_anchors_path) if trust_anchors_path else ""
        return cls(classifier, report, trust_anchors=trust_anchors)

    @property
    def manifest(self) -> ModelManifest:
        return self.classifier.manifest

    @property
    def model(self) -> ModelInfo:
        manifest = self.manifest
        return ModelInfo(
            manifest.model_id,
            manifest.version,
            self.classifier.weights_sha256,
            manifest.evaluation_id,
        )

    def analyze_file(
        self,
        path: Path,
        *,
        heatmap: bool = False,
        progress: Progress = lambda _share: None,
    ) -> Analysis:
        """Judge an image or a video, whichever its bytes are.

        `progress` is told the share of the work that is done. Raises a DetectorError when the file
        cannot be judged, and OSError when it cannot be read.
        """
        with path.open("rb") as file:
            data = file.read(SNIFFED_BYTES)
            if sniff_format(data) is None and sniff_video(data):
                return self._analyze_video(file, progress)
            # One byte more than the limit: an enormous file is refused without being read.
            data += file.read(self.limits.max_bytes + 1 - len(data))
        return self.analyze_image(data, heatmap=heatmap)

    def analyze_video(self, path: Path, *, progress: Progress = lambda _share: None) -> Analysis:
        """Judge the beginning of a video by frames; see `analyze_file`."""
        with path.open("rb") as file:
            return self._analyze_video(file, progress)

    def analyze_image(self, data: bytes, *, heatmap: bool = False) -> Analysis:
        """Judge one image file. Raises a DetectorError when the bytes cannot be judged.

        A file that the detector is not made for is not scored, and has no heatmap.
        """
        started = time.perf_counter()
        decoded = decode_image(data, self.limits)
        image = shrink_to(decoded.pixels, self.manifest.spec.max_long_side)
        prepared = time.perf_counter()

        obstacles = find_obstacles(image, decoded.facts)
        checked = scored = time.perf_counter()

        score, stability, picture = None, None, None
        if EXCLUDING.isdisjoint(obstacles):
            crops = cut_crops(image, self.manifest.spec)
            evidence, stability = score_with_resaves(self.classifier, image, crops)
            score, scored = evidence.probability, time.perf_counter()
            if heatmap:
                picture = render_heatmap(evidence, crops, self.manifest)
        drawn = time.perf_counter()

        decision = decide(score, self.manifest.bands, obstacles=obstacles, stability=stability)
        provenance = read_provenance(data, decoded.facts.format, trust_anchors=self.trust_anchors)
        finished = time.perf_counter()
        return Analysis(
            verdict=decision.verdict,
            reasons=decision.reasons,
            pixel=PixelEvidence(score, decision.band, stability=stability),
            provenance=provenance.beside(decision.verdict),
            media=decoded.facts,
            expected_errors=self._expected_errors(decision, decoded.facts),
            model=self.model,
            warnings=self._warnings(decoded.facts),
            timings_ms={
                "decode": _ms(prepared - started),
                "suitability": _ms(checked - prepared),
                "score": _ms(scored - checked),
                "heatmap": _ms(drawn - scored),
                "provenance": _ms(finished - drawn),
                "total": _ms(finished - started),
            },
            heatmap_png=picture,
        )

    def _analyze_video(self, file: BinaryIO, progress: Progress) -> Analysis:
        started = time.perf_counter()
        video = open_video(file, self.video_limits)
        opened = time.perf_counter()

        times, logits = frame_logits(self.classifier, video, progress)
        scale = self.manifest.video
        calibration = scale.calibration if scale else self.manifest.calibration
        bands = scale.bands if scale else None
        scores = [float(score) for score in calibration.probability(logits)]
        frames = tuple(ScoredFrame(*pair) for pair in zip(times, scores, strict=True))
        file.seek(0)
        data = file.read()
        facts = _video_facts(data, video)
        decision = decide_video(aggregate(scores), bands, min(video.size), n_frames=len(frames))
        scored = time.perf_counter()

        provenance = read_provenance(data, facts.format, trust_anchors=self.trust_anchors)
        finished = time.perf_counter()
        limit = bands.high if bands else math.inf
        return Analysis(
            verdict=decision.verdict,
            reasons=decision.reasons,
            pixel=PixelEvidence(aggregate(scores), decision.band, calibrated=scale is not None),
            provenance=provenance.beside(decision.verdict),
            media=facts,
            expected_errors=self._expected_errors(decision, facts),
            model=self.model,
            warnings=self._video_warnings(facts, video),
            timings_ms={
                "decode": _ms(opened - started),
                "score": _ms(scored - opened),
                "provenance": _ms(finished - scored),
                "total": _ms(finished - started),
            },
            heatmap_png=None,
            timeline=Timeline(
                frames=frames,
                segments=find_segments(frames, limit, video.analysed_seconds),
                aggregation=AGGREGATION,
                analysed_seconds=round(video.analysed_seconds, 3),
            ),
        )

    def _expected_errors(self, decision: Decision, facts: MediaFacts) -> ExpectedErrors | None:
        """Those of the condition that the file is in; none where nothing like it was measured."""
        if UNMEASURED.intersection(decision.reasons):
            return None
        condition = VIDEO if facts.kind == "video" else condition_of(facts).name
        return self.report.expected_errors(condition)

    def _warnings(self, facts: MediaFacts) -> tuple[str, ...]:
        measured = self.report.largest_photograph_px
        larger = measured is not None and max(facts.width, facts.height) > measured
        return (LARGER_THAN_MEASURED,) if larger else ()

    def _video_warnings(self, facts: MediaFacts, video: VideoFile) -> tuple[str, ...]:
        measured = self.report.largest_footage_px
        found = {
            LARGER_THAN_MEASURED: measured is not None
            and max(facts.width, facts.height) > measured,
            INCOMPLETE_VIDEO: video.is_incomplete,
            BEGINNING_ONLY: video.duration_seconds > self.video_limits.max_seconds,
        }
        return tuple(warning for warning, holds in found.items() if holds)


def _video_facts(data: bytes, video: VideoFile) -> MediaFacts:
    width, height = video.size
    return MediaFacts(
        kind="video",
        sha256=hashlib.sha256(data).hexdigest(),
        bytes=len(data),
        width=width,
        height=height,
        format=video.format,
        jpeg_quality_estimate=None,
        duration_seconds=round(video.duration_seconds, 3),
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
