/** What can be done with a result: keep a copy, print it, delete it, or go on. */

import { save } from "../save.js";
import { part } from "./part.js";

/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../messages.js").Messages} Messages */

export class ResultActions {
  #expires = part("expires", HTMLElement);
  #delete = part("delete", HTMLButtonElement);
  #again = part("again", HTMLButtonElement);
  #back = part("back", HTMLButtonElement);
  #messages;
  /** @type {Detection | null} */
  #detection = null;

  /**
   * @param {Messages} messages
   * @param {{onAgain: () => void, onBack: () => void, onDelete: (id: string) => void}} handlers
   */
  constructor(messages, { onAgain, onBack, onDelete }) {
    this.#messages = messages;
    this.#again.addEventListener("click", onAgain);
    this.#back.addEventListener("click", onBack);
    part("print", HTMLButtonElement).addEventListener("click", () => print());
    part("download", HTMLButtonElement).addEventListener("click", () => this.#download());
    this.#delete.addEventListener("click", () => this.#detection && onDelete(this.#detection.id));
  }

  /**
   * @param {Detection} detection
   * @param {{isOneOfSeveral: boolean}} options
   */
  show(detection, { isOneOfSeveral }) {
    this.#detection = detection;
    this.#again.hidden = isOneOfSeveral;
    this.#back.hidden = !isOneOfSeveral;
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
    save(`asli-${this.#detection.id}.json`, "application/json", JSON.stringify(report, null, 2));
  }
}
