/** What can be done with a result: keep a copy, delete it, or go on to another image. */

import { part } from "./part.js";

/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../messages.js").Messages} Messages */

export class ResultActions {
  #expires = part("expires", HTMLElement);
  #delete = part("delete", HTMLButtonElement);
  #messages;
  /** @type {Detection | null} */
  #detection = null;

  /**
   * @param {Messages} messages
   * @param {{onAgain: () => void, onDelete: (id: string) => void}} handlers
   */
  constructor(messages, { onAgain, onDelete }) {
    this.#messages = messages;
    part("again", HTMLButtonElement).addEventListener("click", onAgain);
    part("download", HTMLButtonElement).addEventListener("click", () => this.#download());
    this.#delete.addEventListener("click", () => this.#detection && onDelete(this.#detection.id));
  }

  /** @param {Detection} detection */
  show(detection) {
    this.#detection = detection;
    this.#delete.disabled = false;
    this.#expires.textContent = this.#messages.text("script.result.expires", {
      moment: this.#messages.moment(detection.expires_at),
    });
  }

  /** @param {boolean} isBusy */
  setDeleting(isBusy) {
    this.#delete.disabled = isBusy;
  }

  /** The report holds what the API said, which knows no file name, and the caution that belongs to it. */
  #download() {
    if (!this.#detection) return;
    const report = { ...this.#detection, caution: this.#messages.text("script.caution") };
    const file = new Blob([JSON.stringify(report, null, 2)], { type: "application/json" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = `asli-${this.#detection.id}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 0);
  }
}
