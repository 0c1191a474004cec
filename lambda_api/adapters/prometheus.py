"""Metrics in this process, given out in Prometheus' text format."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)


class PrometheusMetrics:
    """A registry of its own, so that two services in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "asli_requests", "Answers.", ("method", "route", "status"), registry=self._registry
        )
        self._request_seconds = Histogram(
            "asli_request_seconds",
            "From a request to the end of its answer.",
            ("method", "route"),
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._verdicts = Counter(
            "asli_verdicts", "Files judged.", ("verdict",), registry=self._registry
        )
        self._analysis_seconds = Histogram(
            "asli_analysis_seconds",
            "To judge one file.",
            registry=self._registry,
            buckets=_SECONDS,
        )
        self._refused = Counter(
            "asli_refused_files", "Files not judged.", ("code",), registry=self._registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(method, route).observe(seconds)

    def analysed(self, verdict: str, seconds: float) -> None:
        self._verdicts.labels(verdict).inc()
        self._analysis_seconds.observe(seconds)

    def refused(self, code: str) -> None:
        self._refused.labels(code).inc()

    def as_text(self) -> bytes:
        """All counts since the process started."""
        return generate_latest(self._registry)
