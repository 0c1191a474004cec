/** The HTTP API, as far as the site uses it. */

import { mediaType } from "./file-check.js";
import { Cancelled, Problem } from "./problems.js";
import { postFile } from "./upload.js";

const SHORT_DEADLINE_MS = 20_000;

/**
 * @typedef {object} Limits
 * @property {{name: string, media_type: string, extensions: string[]}[]} formats
 * @property {number} max_upload_bytes
 * @property {number} max_file_bytes
 * @property {number} max_video_bytes
 * @property {number} analysed_video_seconds
 * @property {string[]} upload_content_types
 * @property {number} max_pixels
 * @property {number} min_side_px
 */

/** @typedef {{source: string, claim: string, validation: string, detail: string | null}} Signal */

/** @typedef {{state: string, signals: Signal[], disagrees: boolean}} Provenance */

/**
 * @typedef {object} Detection
 * @property {string} id
 * @property {"succeeded"} status
 * @property {string} expires_at
 * @property {string} verdict
 * @property {string[]} reasons
 * @property {string[]} warnings
 * @property {{score: number | null, calibrated: boolean, stability: {min: number, max: number} | null}} pixel
 * @property {Provenance} provenance
 * @property {{kind: string, sha256: string, bytes: number, width: number, height: number, format: string, jpeg_quality_estimate: number | null, duration_seconds: number | null}} media
 * @property {{condition: string, false_positive_rate: number, n_real: number, miss_rate: number, n_ai: number} | null} expected_errors
 * @property {{id: string, version: string, evaluation_id: string}} model
 * @property {Record<string, number>} timings_ms
 * @property {string | null} heatmap_url
 * @property {Frame[] | null} frames
 * @property {Segment[] | null} segments
 * @property {number | null} analysed_seconds
 */

/** @typedef {{t: number, score: number}} Frame */

/** @typedef {{start: number, end: number}} Segment */

/** @typedef {{id: string, status: "awaiting_upload" | "queued" | "processing", progress: number}} PendingDetection */

/** @typedef {{id: string, status: "failed", problem: {code: string}}} FailedDetection */

/** @typedef {{upload_id: string, url: string, fields: Record<string, string>}} UploadTicket */

/** @typedef {{kind: string, text: string, email?: string}} VisitorMessage */

/** @typedef {{reference: string}} Receipt */

/** @typedef {{low: number, high: number}} Bands */

/** @typedef {{bands: Bands, video_bands: Bands | null}} ModelCard */

export class Api {
  /** @type {string} */
  #base;

  /** @param {string} base address in front of `/v1`; empty when the API is where the site is */
  constructor(base) {
    this.#base = base;
  }

  /** Find the API's address, which is set when the site is deployed. */
  static async connect() {
    const config = await getJson("/config.json");
    return new Api(config.api);
  }

  /** @returns {Promise<Limits>} */
  limits() {
    return getJson(`${this.#base}/v1/limits`);
  }

  /** @returns {Promise<ModelCard>} */
  model() {
    return getJson(`${this.#base}/v1/model`);
  }

  /**
   * @param {File} file
   * @param {Parameters<typeof postFile>[2]} options
   * @returns {Promise<Detection>} rejects with Problem or Cancelled
   */
  async detect(file, options) {
    const { status, body } = await postFile(`${this.#base}/v1/detections`, file, options);
    if (status === 200 && body) return body;
    throw new Problem(body?.code ?? codeOfStatus(status));
  }

  /**
   * Send a file of any size. It lies there, and may be deleted, under the id that `onTicket` is told before it is sent.
   * @param {File} file
   * @param {string | null} format
   * @param {Parameters<typeof postFile>[2] & {onTicket: (id: string) => void}} options
   * @returns {Promise<string>} the id; rejects with Problem or Cancelled
   */
  async upload(file, format, { onTicket, ...options }) {
    const { signal } = options;
    const wanted = { content_type: mediaType(format), bytes: file.size };
    /** @type {UploadTicket} */
    const ticket = await postJson(`${this.#base}/v1/uploads`, wanted, signal);
    onTicket(ticket.upload_id);
    const { status, body } = await postFile(ticket.url, file, { ...options, fields: ticket.fields });
    if (status >= 300) throw new Problem(body?.code ?? "upload_refused");
    return ticket.upload_id;
  }

  /**
   * Have an upload analysed, as a job of the same id. Asking again changes nothing.
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<void>} rejects with Problem or Cancelled
   */
  async submit(id, signal) {
    await postJson(`${this.#base}/v1/detections`, { upload_id: id }, signal);
  }

  /**
   * How far a job is.
   * @param {string} id
   * @param {AbortSignal} signal
   * @returns {Promise<{job: Detection | PendingDetection | FailedDetection, retryAfter: number}>} in seconds; 0 when nothing was said
   */
  async look(id, signal) {
    const response = await request(`${this.#base}/v1/detections/${encodeURIComponent(id)}`, { signal, cache: "no-store" });
    return { job: await receive(response, signal), retryAfter: retryAfterOf(response) };
  }

  /**
   * Also succeeds when the result is gone already.
   * @param {string} id
   */
  async remove(id) {
    const response = await request(`${this.#base}/v1/detections/${encodeURIComponent(id)}`, { method: "DELETE" });
    if (!response.ok && response.status !== 404 && response.status !== 410) throw await problemOf(response);
  }

  /**
   * @param {VisitorMessage} message
   * @returns {Promise<Receipt>}
   */
  sendMessage(message) {
    return postJson(`${this.#base}/v1/messages`, message);
  }

  /**
   * Say that a result looks wrong. Only with a file may and will that be kept.
   * @param {string} id
   * @param {string} label
   * @param {File | null} file
   * @returns {Promise<Receipt>}
   */
  async sendFeedback(id, label, file) {
    const url = `${this.#base}/v1/detections/${encodeURIComponent(id)}/feedback`;
    if (!file) return postJson(url, { label });
    const form = new FormData();
    form.append("label", label);
    form.append("keep_media", "true");
    form.append("file", file, "image");
    return receive(await request(url, { method: "POST", body: form }));
  }

  /** @param {string} path */
  address(path) {
    return this.#base + path;
  }
}

/** @param {string} url */
async function getJson(url) {
  return receive(await request(url));
}

/**
 * @param {string} url
 * @param {object} values
 * @param {AbortSignal} [signal]
 */
async function postJson(url, values, signal) {
  const headers = { "Content-Type": "application/json" };
  return receive(await request(url, { method: "POST", headers, body: JSON.stringify(values), signal }), signal);
}

/**
 * @param {Response} response
 * @param {AbortSignal} [signal] that the request was made with
 */
async function receive(response, signal) {
  if (!response.ok) throw await problemOf(response);
  try {
    return await response.json();
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/**
 * @param {string} url
 * @param {RequestInit} [options]
 */
async function request(url, { signal, ...options } = {}) {
  const deadline = AbortSignal.timeout(SHORT_DEADLINE_MS);
  try {
    return await fetch(url, { ...options, signal: signal ? AbortSignal.any([signal, deadline]) : deadline });
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/**
 * Why there is no whole answer.
 * @param {unknown} error
 * @param {AbortSignal | null} [signal]
 */
function failureOf(error, signal) {
  if (signal?.aborted) return new Cancelled();
  if (error instanceof SyntaxError) return new Problem("internal");
  if (error instanceof DOMException && error.name === "TimeoutError") return new Problem("timeout");
  return new Problem(navigator.onLine ? "network" : "offline");
}

/** @param {Response} response */
async function problemOf(response) {
  const { status } = response;
  const body = await response.json().catch(() => null);
  return new Problem(body?.code ?? codeOfStatus(status), { status, retryAfter: retryAfterOf(response) });
}

/**
 * In seconds; 0 when nothing was said.
 * @param {Response} response
 */
function retryAfterOf(response) {
  return Number(response.headers.get("Retry-After")) || 0;
}

/**
 * For answers that did not come from the API itself, but from a gateway before it.
 * @param {number} status
 */
function codeOfStatus(status) {
  if (status === 413) return "file_too_large";
  if (status === 429) return "rate_limited";
  if (status === 503) return "busy";
  return status === 504 ? "timeout" : "internal";
}
