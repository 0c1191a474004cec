/** What can go wrong, by the API's stable codes and our own for the way there. */

/** @type {Record<string, string>} */
const MESSAGE_OF_CODE = {
  bad_request: "script.error.bad_request",
  missing_field: "script.error.missing_field",
  not_found: "script.error.not_found",
  method_not_allowed: "script.error.method_not_allowed",
  gone: "script.error.gone",
  file_too_large: "script.error.file_too_large",
  empty_file: "script.error.empty_file",
  unsupported_type: "script.error.unsupported_type",
  too_many_pixels: "script.error.too_many_pixels",
  image_too_small: "script.error.image_too_small",
  undecodable_media: "script.error.undecodable_media",
  no_video_track: "script.error.no_video_track",
  no_frames: "script.error.no_frames",
  encrypted_media: "script.error.encrypted_media",
  unsupported_codec: "script.error.unsupported_codec",
  media_mismatch: "script.error.media_mismatch",
  upload_refused: "script.error.upload_refused",
  upload_missing: "script.error.upload_refused",
  analysis_failed: "script.error.analysis_failed",
  unfinished: "script.error.unfinished",
  key_invalid: "script.error.key",
  key_scope: "script.error.key",
  rate_limited: "script.error.rate_limited",
  quota_exceeded: "script.error.quota_exceeded",
  model_load_failed: "script.error.model_load_failed",
  busy: "script.error.busy",
  internal: "script.error.internal",
  network: "script.error.network",
  offline: "script.error.offline",
  timeout: "script.error.timeout",
  unreadable_file: "script.error.unreadable_file",
  too_many_files: "script.error.too_many_files",
  no_file: "script.error.no_file",
};

/** Codes that another file would cure. */
const ABOUT_THE_FILE = new Set([
  "file_too_large",
  "empty_file",
  "unsupported_type",
  "too_many_pixels",
  "image_too_small",
  "undecodable_media",
  "no_video_track",
  "no_frames",
  "encrypted_media",
  "unsupported_codec",
  "unreadable_file",
  "too_many_files",
  "no_file",
]);

/** Codes that say nothing about a job: it may go on all the same. */
const PASSING = new Set(["network", "offline", "timeout", "busy", "unfinished"]);

/** A request or a file that failed. `code` is the API's, or one of ours from the table above. */
export class Problem extends Error {
  #hasEndedTheJob;
  #status;

  /**
   * @param {string} code
   * @param {{hasEndedTheJob?: boolean, status?: number, retryAfter?: number}} [options] the answer's status, and how
   * many seconds it asks to wait; 0 where there was none
   */
  constructor(code, { hasEndedTheJob = false, status = 0, retryAfter = 0 } = {}) {
    super(code);
    this.code = code in MESSAGE_OF_CODE ? code : "internal";
    this.retryAfter = retryAfter;
    this.#hasEndedTheJob = hasEndedTheJob;
    this.#status = status;
  }

  get messageKey() {
    return MESSAGE_OF_CODE[this.code];
  }

  get isAboutTheFile() {
    return ABOUT_THE_FILE.has(this.code);
  }

  /** Whether looking again may help. */
  get isPassing() {
    if (this.#hasEndedTheJob) return false;
    return PASSING.has(this.code) || this.#status === 429 || this.#status >= 500;
  }
}

/** The visitor stopped it; nothing to report. */
export class Cancelled extends Error {}
