/** One file on its way to a result: in one request where it fits, as an upload and a job where not. */

import { VIDEO_TYPES } from "./file-check.js";
import { follow } from "./follow.js";
import { Cancelled, Problem } from "./problems.js";

/** @typedef {import("./api.js").Api} Api */
/** @typedef {import("./api.js").Detection} Detection */
/** @typedef {import("./api.js").Limits} Limits */
/** @typedef {"chosen" | "sending" | "waiting" | "analysing" | "done" | "failed" | "cancelled"} Step */

export class Check {
  /** @type {Step} */
  step = "chosen";
  /** Share of the present step that is done, 0 to 1; null where nobody knows.
   * @type {number | null} */
  share = null;
  /** @type {Detection | null} */
  detection = null;
  /** @type {Problem | null} */
  problem = null;
  /** Of the job, once there is one.
   * @type {string | null} */
  id;
  /** @type {File | null} */
  file;
  /** By the file's first bytes.
   * @type {string | null} */
  format;
  /** What was sent for a job that is not begun. Sent once, it is not sent again.
   * @type {{id: string, isSent: boolean} | null} */
  #upload = null;
  #onStep;
  /** @type {AbortController | null} */
  #run = null;
  /** @type {Api | null} */
  #api = null;

  /**
   * Either a file, or the id of a job that was begun before the page was loaded.
   * @param {{file?: File, format?: string | null, id?: string}} subject
   * @param {(check: Check) => void} onStep called after every change
   */
  constructor({ file, format, id }, onStep) {
    this.file = file ?? null;
    this.format = format ?? null;
    this.id = id ?? null;
    this.#onStep = onStep;
  }

  get isVideo() {
    return this.format !== null && this.format in VIDEO_TYPES;
  }

  get isRunning() {
    return this.#run !== null;
  }

  /** Whether there is anything left to try. */
  get canRun() {
    return this.step !== "done" && !this.problem?.isAboutTheFile;
  }

  /**
   * Returns when it is done, failed or cancelled. A failed one may be run again and goes on where it can.
   * @param {() => Promise<{api: Api, limits: Limits | null}>} reach
   */
  async run(reach) {
    const run = new AbortController();
    this.#run = run;
    this.problem = null;
    if (this.id || this.#upload?.isSent) this.#enter("waiting");
    else this.#enter("sending", 0);
    try {
      const { api, limits } = await reach();
      this.#api = api;
      if (this.#run !== run) return;
      const detection = await this.#result(api, limits, run.signal);
      if (this.#run !== run) return;
      this.#run = null;
      this.detection = detection;
      this.id = detection.id;
      this.#enter("done");
    } catch (error) {
      if (this.#run !== run || error instanceof Cancelled) return;
      this.#run = null;
      this.#fail(error instanceof Problem ? error : new Problem("internal"));
      if (!(error instanceof Problem)) reportError(error); // no other file has to suffer from it
    }
  }

  /**
   * Stop, and have deleted what the service holds of the file.
   * @returns {Promise<boolean>} whether nothing is left for sure; if not, it deletes itself within a day
   */
  async cancel() {
    if (!this.#run) return false;
    const run = this.#run;
    const id = this.id ?? this.#upload?.id;
    this.#run = null;
    this.id = null;
    this.#upload = null;
    run.abort();
    this.#enter("cancelled");
    if (!id || !this.#api) return false;
    return this.#api.remove(id).then(
      () => true,
      () => false,
    );
  }

  /** Stop waiting for it, but let the job go on, for whoever has its address. */
  leave() {
    const run = this.#run;
    this.#run = null;
    run?.abort();
  }

  /** @param {Problem} problem */
  #fail(problem) {
    this.problem = problem;
    if (this.file && !problem.isPassing) {
      this.id = null;
      this.#upload = null;
    }
    this.#enter("failed");
  }

  /**
   * @param {Api} api
   * @param {Limits | null} limits
   * @param {AbortSignal} signal
   */
  async #result(api, limits, signal) {
    const isNew = !this.id;
    if (!this.id) {
      const file = /** @type {File} */ (this.file);
      const sending = {
        signal,
        onProgress: (/** @type {number} */ share) => this.#enter("sending", share),
        onSent: () => this.#enter("analysing"),
      };
      if (!this.isVideo && !(limits && file.size > limits.max_upload_bytes)) {
        return api.detect(file, sending);
      }
      this.id = await this.#begin(api, file, { ...sending, onSent: () => this.#enter("waiting") });
    }
    return follow(api, this.id, {
      isNew,
      signal,
      onJob: ({ status, progress }) => this.#enter(status === "processing" ? "analysing" : "waiting", progress || null),
    });
  }

  /**
   * @param {Api} api
   * @param {File} file
   * @param {Parameters<Api["detect"]>[1]} sending
   * @returns {Promise<string>} the job's id
   */
  async #begin(api, file, sending) {
    if (!this.#upload?.isSent) {
      const onTicket = (/** @type {string} */ id) => {
        this.#upload = { id, isSent: false };
      };
      this.#upload = { id: await api.upload(file, this.format, { ...sending, onTicket }), isSent: true };
    }
    await api.submit(this.#upload.id, sending.signal);
    return this.#upload.id;
  }

  /**
   * @param {Step} step
   * @param {number | null} [share]
   */
  #enter(step, share = null) {
    this.step = step;
    this.share = share;
    this.#onStep(this);
  }
}
