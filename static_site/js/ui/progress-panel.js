/** What happens while the visitor waits. Only true progress is shown: of the bytes sent, of the frames examined. */

import { part } from "./part.js";

/** @typedef {import("../check.js").Check} Check */
/** @typedef {import("../messages.js").Messages} Messages */

const FIRST_WORD_MS = 2_000;
const SECOND_WORD_MS = 15_000;

/** Each step's words, without and with the share that is done.
 * @type {Record<string, [string, string]>} */
const WORDS = {
  sending: ["script.progress.sending", "script.progress.sent"],
  waiting: ["script.progress.waiting", "script.progress.waiting"],
  analysing: ["script.progress.analysing", "script.progress.analysed"],
};

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
  #step = "";

  /**
   * @param {Messages} messages
   * @param {{announce: (text: string) => void, onCancel: () => void}} handlers
   */
  constructor(messages, { announce, onCancel }) {
    this.#messages = messages;
    this.#announce = announce;
    this.#cancel.addEventListener("click", onCancel);
  }

  /** @param {Check} check */
  show(check) {
    if (this.#root.hidden) {
      this.#root.hidden = false;
      this.#cancel.focus();
    }
    if (check.step !== this.#step) this.#begin(check);
    this.#text.textContent = progressWords(check, this.#messages);
    showShare(this.#bar, check.share);
  }

  hide() {
    this.#stopTimers();
    this.#wait.textContent = "";
    this.#step = "";
    this.#root.hidden = true;
  }

  /** @param {Check} check */
  #begin({ step, id }) {
    this.#step = step;
    this.#announce(this.#messages.text(WORDS[step][0]));
    this.#stopTimers();
    if (id) this.#wait.textContent = this.#messages.text("script.progress.job");
    else if (step === "analysing") {
      this.#explainAfter(FIRST_WORD_MS, "script.progress.starting");
      this.#explainAfter(SECOND_WORD_MS, "script.progress.slow");
    }
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

  #stopTimers() {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
  }
}

/**
 * What a running check is at, and how far.
 * @param {Check} check
 * @param {Messages} messages
 */
export function progressWords({ step, share }, messages) {
  const [words, wordsWithShare] = WORDS[step];
  if (share === null) return messages.text(words);
  return messages.text(wordsWithShare, { percent: messages.percent(Math.round(share * 100) / 100) });
}

/**
 * How long the rest takes is not known where there is no share, and the bar says so.
 * @param {HTMLProgressElement} bar
 * @param {number | null} share
 */
export function showShare(bar, share) {
  if (share === null) bar.removeAttribute("value");
  else bar.value = share * 100;
}
