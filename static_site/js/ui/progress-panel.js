/** What happens while the visitor waits. Only true progress is shown: of the bytes that were sent. */

import { part } from "./part.js";

/** @typedef {import("../messages.js").Messages} Messages */

const FIRST_WORD_MS = 2_000;
const SECOND_WORD_MS = 15_000;

export class ProgressPanel {
  #root = part("progress", HTMLElement);
  #text = part("progress-text", HTMLElement);
  #bar = part("progress-bar", HTMLProgressElement);
  #wait = part("progress-wait", HTMLElement);
  #cancel = part("cancel", HTMLButtonElement);
  #messages;
  #announce;
  /** @type {number[]} */
  #timers = [];

  /**
   * @param {Messages} messages
   * @param {{announce: (text: string) => void, onCancel: () => void}} handlers
   */
  constructor(messages, { announce, onCancel }) {
    this.#messages = messages;
    this.#announce = announce;
    this.#cancel.addEventListener("click", onCancel);
  }

  showUploading() {
    this.hide();
    this.#root.hidden = false;
    this.#bar.value = 0;
    const text = this.#messages.text("script.progress.uploading");
    this.#text.textContent = text;
    this.#announce(text);
    this.#cancel.focus();
  }

  /** @param {number} fraction 0..1 */
  setUploaded(fraction) {
    this.#bar.value = fraction * 100;
    this.#text.textContent = this.#messages.text("script.progress.uploaded", {
      percent: this.#messages.percent(Math.round(fraction * 100) / 100),
    });
  }

  /** The bytes are sent; how long the rest takes is not known, and the bar says so. */
  showAnalysing() {
    this.#bar.removeAttribute("value");
    const text = this.#messages.text("script.progress.analysing");
    this.#text.textContent = text;
    this.#announce(text);
    this.#explainAfter(FIRST_WORD_MS, "script.progress.starting");
    this.#explainAfter(SECOND_WORD_MS, "script.progress.slow");
  }

  hide() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#wait.textContent = "";
    this.#root.hidden = true;
  }

  /**
   * @param {number} delay
   * @param {string} key
   */
  #explainAfter(delay, key) {
    const explain = () => {
      const text = this.#messages.text(key);
      this.#wait.textContent = text;
      this.#announce(text);
    };
    this.#timers.push(setTimeout(explain, delay));
  }
}
