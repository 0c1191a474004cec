/** Several files as a list: each with its own progress, its result, and what went wrong with it. */

import { save } from "../save.js";
import { toCsv, toJson } from "../table.js";
import { part } from "./part.js";
import { progressWords, showShare } from "./progress-panel.js";
import { headlineOf, knownVerdict } from "./verdict-card.js";

/** @typedef {import("../check.js").Check} Check */
/** @typedef {import("../messages.js").Messages} Messages */
/** @typedef {{root: HTMLElement, status: HTMLElement, bar: HTMLProgressElement, show: HTMLButtonElement}} Row */

export class FileList {
  #root = part("list", HTMLElement);
  #heading = part("list-heading", HTMLElement);
  #rows = part("list-rows", HTMLOListElement);
  #template = part("list-row", HTMLTemplateElement);
  #run = part("list-run", HTMLButtonElement);
  #stop = part("list-stop", HTMLButtonElement);
  #others = part("list-others", HTMLButtonElement);
  #exports = part("list-exports", HTMLElement);
  #messages;
  #onShow;
  /** @type {Check[]} */
  #checks = [];
  /** @type {Map<Check, Row>} */
  #rowOf = new Map();
  #isRunning = false;

  /**
   * @param {Messages} messages
   * @param {{onRun: () => void, onStop: () => void, onOthers: () => void, onShow: (check: Check) => void}} handlers
   */
  constructor(messages, { onRun, onStop, onOthers, onShow }) {
    this.#messages = messages;
    this.#onShow = onShow;
    this.#run.addEventListener("click", onRun);
    this.#stop.addEventListener("click", onStop);
    this.#others.addEventListener("click", onOthers);
    part("list-csv", HTMLButtonElement).addEventListener("click", () => save("asli.csv", "text/csv", toCsv(this.#checks)));
    part("list-json", HTMLButtonElement).addEventListener("click", () => {
      save("asli.json", "application/json", toJson(this.#checks, this.#messages.text("script.caution")));
    });
  }

  /** @param {Check[]} checks */
  show(checks) {
    this.#checks = checks;
    this.#rowOf = new Map(checks.map((check, i) => [check, this.#row(check, i)]));
    this.#rows.replaceChildren(...[...this.#rowOf.values()].map(({ root }) => root));
    for (const check of checks) this.update(check);
    this.#root.hidden = false;
  }

  hide() {
    this.#root.hidden = true;
  }

  /** @param {Check} check whose result is deleted */
  remove(check) {
    this.#checks = this.#checks.filter((other) => other !== check);
    this.#rowOf.get(check)?.root.remove();
    this.#rowOf.delete(check);
    this.#heading.textContent = this.summary;
    this.#showButtons();
  }

  /** Come back from one of the results. */
  reopen() {
    this.#root.hidden = false;
    this.#heading.focus();
  }

  /** @param {{isRunning: boolean}} state */
  setRunning({ isRunning }) {
    this.#isRunning = isRunning;
    this.#showButtons();
    if (isRunning) this.#stop.focus();
    else if (document.activeElement === document.body) this.#heading.focus();
  }

  #showButtons() {
    const hasResults = this.#checks.some(({ step }) => step === "done");
    this.#run.hidden = this.#isRunning || !this.#checks.some((check) => check.canRun);
    this.#run.textContent = this.#messages.text(hasResults ? "script.list.retry" : "script.list.run");
    this.#stop.hidden = !this.#isRunning;
    this.#others.hidden = this.#isRunning;
    this.#exports.hidden = this.#isRunning || !hasResults;
  }

  focus() {
    if (this.#run.hidden) this.#heading.focus();
    else this.#run.focus();
  }

  /** @param {Check} check */
  update(check) {
    const row = this.#rowOf.get(check);
    if (!row) return;
    const { step, detection } = check;
    row.root.dataset.verdict = detection ? knownVerdict(detection) : "";
    row.root.dataset.step = step;
    row.status.textContent = this.#words(check);
    row.bar.hidden = !check.isRunning;
    showShare(row.bar, check.share);
    row.show.hidden = step !== "done";
    this.#heading.textContent = this.summary;
  }

  /** How many are done. */
  get summary() {
    const done = this.#checks.filter(({ step }) => step === "done").length;
    const values = { done: this.#messages.integer(done), n: this.#messages.integer(this.#checks.length) };
    return this.#messages.text(done > 0 ? "script.list.done" : "script.list.chosen", values);
  }

  /** @param {Check} check */
  #words(check) {
    const { step, detection, problem, file } = check;
    if (detection) return headlineOf(detection, this.#messages);
    if (problem) return this.#messages.text(problem.messageKey, { size: file ? this.#messages.size(file.size) : "" });
    if (check.isRunning) return progressWords(check, this.#messages);
    if (step === "cancelled") return this.#messages.text("script.list.cancelled");
    return file ? this.#messages.size(file.size) : "";
  }

  /**
   * @param {Check} check
   * @param {number} index
   * @returns {Row}
   */
  #row(check, index) {
    const root = /** @type {HTMLElement} */ (this.#template.content.cloneNode(true)).firstElementChild;
    if (!(root instanceof HTMLElement)) throw new Error("The row of the list is empty.");
    const name = check.file?.name ?? this.#messages.text("script.list.unnamed", { number: this.#messages.integer(index + 1) });
    /** @param {string} selector */
    const find = (selector) => /** @type {any} */ (root.querySelector(selector));
    const show = find("button");
    find("strong").textContent = name;
    find("progress").setAttribute("aria-label", name);
    show.setAttribute("aria-label", this.#messages.text("script.list.show", { name }));
    show.addEventListener("click", () => this.#onShow(check));
    return { root, status: find(".file-status"), bar: find("progress"), show };
  }
}
