/** "This looks wrong": sends what the visitor knows about the file, and the file itself only if ticked. */

import { Problem } from "../problems.js";
import { part } from "./part.js";

/** @typedef {import("../api.js").Api} Api */
/** @typedef {import("../messages.js").Messages} Messages */

export class FeedbackForm {
  #root = part("feedback", HTMLDetailsElement);
  #form = part("feedback-form", HTMLFormElement);
  #keepRow = part("feedback-keep-row", HTMLElement);
  #keep = part("feedback-keep", HTMLInputElement);
  #send = part("feedback-send", HTMLButtonElement);
  #error = part("feedback-error", HTMLElement);
  #sent = part("feedback-sent", HTMLElement);
  #messages;
  /** @type {{api: Api, id: string, file: File | null} | null} */
  #subject = null;

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#send.disabled) this.#submit();
    });
  }

  /**
   * @param {Api} api
   * @param {string} id of the result
   * @param {File | null} file null when it cannot be sent again
   */
  show(api, id, file) {
    this.#subject = { api, id, file };
    this.#form.reset();
    this.#form.hidden = false;
    this.#keepRow.hidden = !file;
    this.#error.hidden = true;
    this.#sent.hidden = true;
    this.#root.open = false;
  }

  async #submit() {
    const subject = this.#subject;
    if (!subject) return;
    this.#send.disabled = true;
    this.#error.hidden = true;
    try {
      const label = String(new FormData(this.#form).get("label"));
      const file = this.#keep.checked ? subject.file : null;
      const { reference } = await subject.api.sendFeedback(subject.id, label, file);
      if (this.#subject === subject) this.#thank(reference);
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem("internal");
      if (this.#subject === subject) this.#fail(problem, subject.file);
      if (!(error instanceof Problem)) throw error;
    } finally {
      this.#send.disabled = false;
    }
  }

  /** @param {string} reference */
  #thank(reference) {
    this.#form.hidden = true;
    this.#sent.textContent = this.#messages.text("script.feedback.sent", { reference });
    this.#sent.hidden = false;
    this.#sent.focus();
  }

  /**
   * @param {Problem} problem
   * @param {File | null} file
   */
  #fail(problem, file) {
    const size = file ? this.#messages.size(file.size) : "";
    this.#error.textContent = this.#messages.text(problem.messageKey, { size });
    this.#error.hidden = false;
    this.#error.focus();
  }
}
