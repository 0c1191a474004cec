/** The Detection page: wires its parts, and owns the files that are checked. */

import { jobsInAddress, keepJobsInAddress } from "./address.js";
import { Api } from "./api.js";
import { Check } from "./check.js";
import { checkFile, checkSides, MOST_FILES } from "./file-check.js";
import { fetchSample, SAMPLE_ADDRESS, SHARED_ADDRESS, takeShared } from "./given-files.js";
import { Messages } from "./messages.js";
import { Problem } from "./problems.js";
import { ErrorSummary } from "./ui/error-summary.js";
import { FileList } from "./ui/file-list.js";
import { FilePicker } from "./ui/file-picker.js";
import { part } from "./ui/part.js";
import { Preview } from "./ui/preview.js";
import { ProgressPanel } from "./ui/progress-panel.js";
import { ResultView } from "./ui/result-view.js";

/** @typedef {import("./api.js").Limits} Limits */
/** @typedef {import("./api.js").ModelCard} ModelCard */

class DetectPage {
  #start = part("start", HTMLElement);
  #status = part("status", HTMLElement);
  #notice = part("notice", HTMLElement);
  #limitsText = part("limits", HTMLElement);
  #run = part("check", HTMLButtonElement);
  #messages = Messages.fromPage();
  #picker = new FilePicker({
    onFiles: (files) => this.#choose(files),
    onProblem: (problem) => {
      this.#clear();
      this.#report(problem);
    },
  });
  #preview = new Preview(this.#messages);
  #progress = new ProgressPanel(this.#messages, {
    announce: (text) => this.#announce(text),
    onCancel: () => this.#cancelOnly(),
  });
  #list = new FileList(this.#messages, {
    onRun: () => this.#runAll(),
    onStop: () => this.#stopAll(),
    onOthers: () => this.#picker.open(),
    onShow: (check) => this.#showOneOfSeveral(check),
  });
  #errors = new ErrorSummary(() => this.#picker.focus());
  #result = new ResultView(this.#messages, {
    onAgain: () => this.#startOver(),
    onBack: () => this.#showList(),
    onDelete: (id) => this.#delete(id),
  });

  /** @type {Promise<Api>} */
  #reaching = Api.connect();
  /** @type {Promise<Limits | null>} */
  #limits = this.#reaching.then((api) => api.limits()).catch(() => null);
  /** @type {Promise<ModelCard | null>} */
  #model = this.#reaching.then((api) => api.model()).catch(() => null);
  /** What is being checked. Whatever else reports belongs to files that were put away.
   * @type {Check[]} */
  #checks = [];
  /** Whether they are shown as a list: one that shrinks to a single file stays one. */
  #isList = false;
  #isStopped = false;

  constructor() {
    this.#run.addEventListener("click", () => this.#runOnly());
    part("replace", HTMLButtonElement).addEventListener("click", () => this.#picker.open());
    window.addEventListener("hashchange", () => this.#followAddress());
    this.#reaching.catch(() => {}); // said when the visitor asks for something
    this.#showLimits();
    this.#followAddress();
  }

  async #showLimits() {
    const limits = await this.#limits;
    this.#limitsText.textContent = limits ? this.#limitsSentence(limits) : this.#messages.text("script.limits.unknown");
  }

  /** @param {Limits} limits */
  #limitsSentence(limits) {
    return this.#messages.text("script.limits", {
      formats: this.#messages.list(limits.formats.map(({ name }) => (name === "webp" ? "WebP" : name.toUpperCase()))),
      size: this.#messages.limit(limits.max_file_bytes),
      side: this.#messages.integer(limits.min_side_px),
      megapixels: this.#messages.integer(limits.max_pixels / 1_000_000),
      video_size: this.#messages.limit(limits.max_video_bytes),
      seconds: this.#messages.seconds(limits.analysed_video_seconds),
    });
  }

  /** What the part after `#` asks for. A link within the page must not make it forget its jobs. */
  #followAddress() {
    if (location.hash === SAMPLE_ADDRESS) this.#trySample();
    else if (location.hash === SHARED_ADDRESS) this.#chooseShared();
    else if (jobsInAddress().length > 0) this.#resume();
    else if (this.#checks.length > 0) this.#keepAddress();
  }

  /** Go on with jobs that were begun before: the page was loaded again, or somebody kept its address. */
  #resume() {
    this.#clear();
    const ids = jobsInAddress();
    this.#checks = ids.map((id) => new Check({ id }, (check) => this.#show(check)));
    if (ids.length === 1) {
      this.#runOnly();
    } else {
      this.#openList();
      this.#runAll();
    }
  }

  /** One click is enough for this one: nobody minds that it is sent. A file of the visitor's own goes before it. */
  async #trySample() {
    const checks = this.#checks;
    const files = await fetchSample().catch(() => null);
    if (this.#checks !== checks) return;
    if (!files) return this.#report(new Problem(navigator.onLine ? "network" : "offline"));
    await this.#choose(files);
    const [check] = this.#checks;
    if (check?.file !== files[0] || check.problem) return;
    this.#runOnly();
    this.#notice.textContent = this.#messages.text("script.sample");
    this.#notice.hidden = false;
  }

  async #chooseShared() {
    const files = await takeShared();
    if (files.length > 0) await this.#choose(files);
    else this.#keepAddress();
  }

  #keepAddress() {
    keepJobsInAddress(this.#checks.flatMap(({ id }) => id ?? []));
  }

  /** @param {File[]} files */
  async #choose(files) {
    for (const check of this.#checks) check.cancel();
    this.#clear();
    this.#keepAddress();
    if (files.length > MOST_FILES) return this.#report(new Problem("too_many_files"));
    const checks = files.map((file) => new Check({ file }, (check) => this.#show(check)));
    this.#checks = checks;
    const limits = await this.#limits;
    await Promise.all(checks.map((check) => this.#look(check, limits)));
    if (this.#checks !== checks) return;
    if (checks.length === 1) await this.#offer(checks[0], limits);
    else {
      this.#openList();
      this.#announce(this.#list.summary);
      this.#list.focus();
    }
  }

  /**
   * Look at a file, so that nobody waits for an upload that will be refused.
   * @param {Check} check
   * @param {Limits | null} limits
   */
  async #look(check, limits) {
    try {
      check.format = await checkFile(/** @type {File} */ (check.file), limits);
    } catch (error) {
      check.problem = error instanceof Problem ? error : new Problem("internal");
    }
  }

  /**
   * Show the only file before it is sent.
   * @param {Check} check
   * @param {Limits | null} limits
   */
  async #offer(check, limits) {
    try {
      if (check.problem) throw check.problem;
      const file = /** @type {File} */ (check.file);
      const sides = await this.#preview.show(file, check.isVideo);
      if (!this.#checks.includes(check)) return;
      if (sides && !check.isVideo) checkSides(sides, limits);
      this.#picker.hide();
      this.#announce(this.#messages.text("script.chosen", { name: file.name }));
      this.#run.focus();
    } catch (error) {
      if (this.#checks.includes(check)) await this.#fail(error, check);
    }
  }

  async #runOnly() {
    const [check] = this.#checks;
    if (!check || check.isRunning) return;
    this.#hideMessages();
    this.#start.hidden = true;
    await check.run(this.#reach);
  }

  async #runAll() {
    const checks = this.#checks;
    this.#isStopped = false;
    this.#hideMessages();
    this.#list.setRunning({ isRunning: true });
    for (const check of [...checks]) {
      if (check.canRun) await check.run(this.#reach);
      if (this.#checks !== checks) return;
      if (this.#isStopped) break;
    }
    this.#list.setRunning({ isRunning: false });
    this.#announce(this.#list.summary);
  }

  #reach = async () => ({ api: await this.#reachApi(), limits: await this.#limits });

  /** A page that was opened offline finds the API once the connection is back. */
  async #reachApi() {
    try {
      return await this.#reaching;
    } catch {
      this.#reaching = Api.connect();
      return this.#reaching;
    }
  }

  /**
   * What a check is at.
   * @param {Check} check
   */
  #show(check) {
    if (!this.#checks.includes(check)) return;
    this.#keepAddress();
    if (this.#isList) this.#showRow(check);
    else if (check.step === "done") this.#showResult(check);
    else if (check.step === "failed") this.#fail(check.problem, check);
    else if (check.isRunning) this.#progress.show(check);
  }

  /** @param {Check} check */
  #showRow(check) {
    this.#list.update(check);
    if (check.step === "done") this.#announce(this.#list.summary);
  }

  async #cancelOnly() {
    const [check] = this.#checks;
    const deleting = check.cancel();
    this.#progress.hide();
    this.#start.hidden = false;
    this.#keepAddress();
    if (check.file) this.#run.focus();
    else this.#picker.focus();
    const key = (await deleting) ? "script.progress.cancelled" : "script.progress.expiring";
    if (this.#checks[0] === check && check.step === "cancelled") this.#announce(this.#messages.text(key));
  }

  #stopAll() {
    this.#isStopped = true;
    for (const check of this.#checks) check.cancel();
    this.#keepAddress();
  }

  #openList() {
    this.#isList = true;
    this.#start.hidden = true;
    this.#list.show(this.#checks);
    this.#list.setRunning({ isRunning: false });
  }

  #showList() {
    this.#result.hide();
    this.#errors.hide();
    this.#list.reopen();
  }

  /** @param {Check} check */
  #showOneOfSeveral(check) {
    this.#hideMessages();
    this.#list.hide();
    this.#showResult(check);
  }

  /** @param {Check} check */
  async #showResult(check) {
    const api = await this.#reachApi();
    const [card, limits] = await Promise.all([this.#model, this.#limits]);
    const { detection, file } = check;
    if (!this.#checks.includes(check) || !detection) return;
    this.#progress.hide();
    this.#announce(this.#result.show(detection, { api, file, card, limits, isOneOfSeveral: this.#isList }));
  }

  /** @param {string} id */
  async #delete(id) {
    const checks = this.#checks;
    this.#hideMessages();
    this.#result.setDeleting(true);
    try {
      await (await this.#reachApi()).remove(id);
      if (this.#checks !== checks) return;
      const { shownId } = this.#result;
      this.#forget(id);
      if (shownId && shownId !== id) return; // the visitor reads another result meanwhile
      this.#notice.textContent = this.#messages.text("script.result.deleted");
      this.#notice.hidden = false;
      this.#announce(this.#notice.textContent);
      this.#notice.focus();
    } catch (error) {
      if (this.#checks !== checks) return;
      if (this.#result.shownId === id) this.#result.setDeleting(false);
      this.#report(error);
    }
  }

  /** @param {string} id of a deleted result */
  #forget(id) {
    const check = this.#checks.find((check) => check.id === id);
    if (!check) return;
    this.#checks.splice(this.#checks.indexOf(check), 1);
    if (this.#checks.length === 0) return this.#startOver();
    this.#keepAddress();
    this.#list.remove(check);
    if (this.#result.shownId === id) this.#showList();
  }

  /** Back to the empty form. */
  #startOver() {
    this.#clear();
    this.#keepAddress();
    this.#picker.clear();
    this.#picker.focus();
  }

  /** Put everything away; a job that runs goes on without this page. */
  #clear() {
    for (const check of this.#checks) check.leave();
    this.#checks = [];
    this.#isList = false;
    this.#hideMessages();
    this.#progress.hide();
    this.#list.hide();
    this.#result.hide();
    this.#preview.hide();
    this.#picker.show();
    this.#start.hidden = false;
  }

  /**
   * Say what went wrong. A file that can never work is put away; any other can be sent again.
   * @param {unknown} error
   * @param {Check} check
   */
  async #fail(error, check) {
    this.#progress.hide();
    this.#start.hidden = false;
    const problem = error instanceof Problem ? error : null;
    if (problem?.isAboutTheFile || (!check.file && !problem?.isPassing)) {
      this.#clear();
      this.#keepAddress();
      this.#picker.clear();
    }
    await this.#report(error, check.file);
  }

  /**
   * @param {unknown} error
   * @param {File | null} [file]
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

  #hideMessages() {
    this.#errors.hide();
    this.#notice.hidden = true;
  }

  /** @param {string} text */
  #announce(text) {
    this.#status.textContent = text;
  }
}

new DetectPage();
