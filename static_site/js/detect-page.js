/** The Detection page: wires its parts, and owns the one job that may run. */

import { Api } from "./api.js";
import { checkFile, checkSides, largestUpload } from "./file-check.js";
import { Messages } from "./messages.js";
import { Cancelled, Problem } from "./problems.js";
import { Details } from "./ui/details.js";
import { ErrorSummary } from "./ui/error-summary.js";
import { FeedbackForm } from "./ui/feedback-form.js";
import { FilePicker } from "./ui/file-picker.js";
import { part } from "./ui/part.js";
import { Picture } from "./ui/picture.js";
import { Preview } from "./ui/preview.js";
import { ProgressPanel } from "./ui/progress-panel.js";
import { ProvenancePanel } from "./ui/provenance-panel.js";
import { ResultActions } from "./ui/result-actions.js";
import { VerdictCard } from "./ui/verdict-card.js";

/** @typedef {import("./api.js").Detection} Detection */
/** @typedef {import("./api.js").Limits} Limits */
/** @typedef {import("./api.js").ModelCard} ModelCard */

class DetectPage {
  #start = part("start", HTMLElement);
  #result = part("result", HTMLElement);
  #status = part("status", HTMLElement);
  #notice = part("notice", HTMLElement);
  #limitsText = part("limits", HTMLElement);
  #check = part("check", HTMLButtonElement);
  #messages = Messages.fromPage();
  #picker = new FilePicker({
    onFile: (file) => this.#choose(file),
    onProblem: (problem) => {
      this.#begin();
      this.#leaveResult();
      this.#report(problem);
    },
  });
  #preview = new Preview(this.#messages);
  #progress = new ProgressPanel(this.#messages, {
    announce: (text) => this.#announce(text),
    onCancel: () => this.#cancel(),
  });
  #errors = new ErrorSummary(() => this.#focusField());
  #verdict = new VerdictCard(this.#messages);
  #provenance = new ProvenancePanel(this.#messages);
  #picture = new Picture();
  #details = new Details(this.#messages);
  #feedback = new FeedbackForm(this.#messages);
  #actions = new ResultActions(this.#messages, {
    onAgain: () => this.#startOver(),
    onDelete: (id) => this.#delete(id),
  });

  /** @type {Promise<Api>} */
  #api = Api.connect();
  /** @type {Promise<Limits | null>} */
  #limits = this.#api.then((api) => api.limits()).catch(() => null);
  /** @type {Promise<ModelCard | null>} */
  #model = this.#api.then((api) => api.model()).catch(() => null);
  /** @type {File | null} */
  #file = null;
  /** What runs now. An answer that belongs to another job came too late and is dropped.
   * @type {AbortController | null} */
  #job = null;
  #isShowable = false;

  constructor() {
    this.#check.addEventListener("click", () => this.#run());
    part("replace", HTMLButtonElement).addEventListener("click", () => this.#picker.open());
    this.#api.catch(() => {}); // said when the visitor asks for something
    this.#showLimits();
  }

  async #showLimits() {
    const limits = await this.#limits;
    this.#limitsText.textContent = limits
      ? this.#limitsSentence(limits)
      : this.#messages.text("script.limits.unknown");
  }

  /** @param {Limits} limits */
  #limitsSentence(limits) {
    return this.#messages.text("script.limits", {
      formats: this.#messages.list(limits.formats.map(({ name }) => (name === "webp" ? "WebP" : name.toUpperCase()))),
      size: this.#messages.limit(largestUpload(limits)),
      side: this.#messages.integer(limits.min_side_px),
      megapixels: this.#messages.integer(limits.max_pixels / 1_000_000),
    });
  }

  /** @param {File} file */
  async #choose(file) {
    const job = this.#begin();
    this.#leaveResult();
    try {
      const limits = await this.#limits;
      await checkFile(file, limits);
      if (this.#job !== job) return;
      const sides = await this.#preview.show(file);
      if (this.#job !== job) return;
      if (sides) checkSides(sides, limits);
      this.#file = file;
      this.#isShowable = Boolean(sides);
      this.#picker.hide();
      this.#announce(this.#messages.text("script.chosen", { name: file.name }));
      this.#check.focus();
    } catch (error) {
      if (this.#job === job) await this.#fail(error, file);
    }
  }

  async #run() {
    const file = this.#file;
    if (!file) return;
    const job = this.#begin();
    this.#start.hidden = true;
    this.#progress.showUploading();
    try {
      const api = await this.#reachApi();
      const detection = await api.detect(file, {
        signal: job.signal,
        onProgress: (fraction) => this.#job === job && this.#progress.setUploaded(fraction),
        onSent: () => this.#job === job && this.#progress.showAnalysing(),
      });
      const card = await this.#model;
      const limits = await this.#limits;
      if (this.#job !== job) return;
      this.#showResult(api, detection, card);
      const canBeSentAgain = limits !== null && file.size <= limits.max_upload_bytes;
      this.#feedback.show(api, detection.id, canBeSentAgain ? file : null);
    } catch (error) {
      if (this.#job === job) await this.#fail(error, file);
    }
  }

  /** A page that was opened offline finds the API once the connection is back. */
  async #reachApi() {
    try {
      return await this.#api;
    } catch {
      this.#api = Api.connect();
      return this.#api;
    }
  }

  #cancel() {
    this.#stop();
    this.#progress.hide();
    this.#start.hidden = false;
    this.#announce(this.#messages.text("script.progress.cancelled"));
    this.#check.focus();
  }

  /**
   * @param {Api} api
   * @param {Detection} detection
   * @param {ModelCard | null} card
   */
  #showResult(api, detection, card) {
    this.#progress.hide();
    const headline = this.#verdict.show(detection);
    this.#provenance.show(detection.provenance);
    this.#picture.show({
      image: this.#isShowable ? this.#preview.address : null,
      heatmap: detection.heatmap_url && api.address(detection.heatmap_url),
      width: detection.media.width,
      height: detection.media.height,
    });
    this.#details.show(detection, card);
    this.#actions.show(detection);
    this.#result.hidden = false;
    this.#announce(headline);
    this.#verdict.focus();
  }

  /** @param {string} id */
  async #delete(id) {
    const job = this.#begin();
    this.#actions.setDeleting(true);
    try {
      await (await this.#reachApi()).remove(id);
      if (this.#job !== job) return;
      this.#startOver();
      this.#notice.textContent = this.#messages.text("script.result.deleted");
      this.#notice.hidden = false;
      this.#announce(this.#notice.textContent);
      this.#notice.focus();
    } catch (error) {
      if (this.#job !== job) return;
      this.#actions.setDeleting(false);
      this.#report(error);
    }
  }

  /** Back to the empty form. */
  #startOver() {
    this.#stop();
    this.#errors.hide();
    this.#leaveResult();
    this.#picker.clear();
    this.#picker.focus();
  }

  #leaveResult() {
    this.#progress.hide();
    this.#result.hidden = true;
    this.#picture.clear();
    this.#preview.hide();
    this.#file = null;
    this.#picker.show();
    this.#start.hidden = false;
  }

  /**
   * Say what went wrong. A file that can never work is put away; any other can be sent again.
   * @param {unknown} error
   * @param {File} file
   */
  async #fail(error, file) {
    if (error instanceof Cancelled) return;
    const problem = error instanceof Problem ? error : null;
    this.#progress.hide();
    this.#start.hidden = false;
    if (problem?.isAboutTheFile) {
      this.#leaveResult();
      this.#picker.clear();
    }
    await this.#report(error, file);
  }

  /**
   * @param {unknown} error
   * @param {File} [file]
   */
  async #report(error, file) {
    const problem = error instanceof Problem ? error : new Problem("internal");
    this.#announce(""); // the summary takes the focus and is read out by that
    const limits = await this.#limits;
    const advice = problem.isAboutTheFile && limits ? this.#limitsSentence(limits) : "";
    const size = file ? this.#messages.size(file.size) : "";
    this.#errors.show(this.#messages.text(problem.messageKey, { size }), {
      advice,
      linksToField: problem.isAboutTheFile,
    });
    if (!(error instanceof Problem)) throw error;
  }

  #focusField() {
    this.#picker.focus();
  }

  /** Make this the only job, and clear what the last one said. */
  #begin() {
    this.#stop();
    this.#errors.hide();
    this.#notice.hidden = true;
    this.#job = new AbortController();
    return this.#job;
  }

  #stop() {
    const job = this.#job;
    this.#job = null;
    job?.abort();
  }

  /** @param {string} text */
  #announce(text) {
    this.#status.textContent = text;
  }
}

new DetectPage();
