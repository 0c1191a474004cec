/** The form on the Help page: what kind of message, its text, and perhaps an address for the answer. */

import { part } from "./part.js";

const FEWEST = 10;
const MOST = 2000;

/** @typedef {import("../api.js").VisitorMessage} VisitorMessage */

export class MessageForm {
  #form = part("message-form", HTMLFormElement);
  #text = part("message-text", HTMLTextAreaElement);
  #email = part("message-email", HTMLInputElement);
  #send = part("message-send", HTMLButtonElement);
  /** @type {HTMLElement} */
  #wrong = this.#text;

  /** @param {(message: VisitorMessage) => void} onSend */
  constructor(onSend) {
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!this.#send.disabled) onSend(this.#message());
    });
  }

  /** @returns {VisitorMessage} */
  #message() {
    const kind = String(new FormData(this.#form).get("kind"));
    const email = this.#email.value.trim();
    return { kind, text: this.#text.value.trim(), ...(email && { email }) };
  }

  /**
   * Mark the first field that is not filled in well.
   * @returns {string | null} the key of what to say about it
   */
  findFault() {
    const fault = this.#textFault();
    mark(this.#text, fault !== null);
    const emailIsWrong = !this.#email.checkValidity();
    mark(this.#email, emailIsWrong);
    this.#wrong = fault || !emailIsWrong ? this.#text : this.#email;
    return fault ?? (emailIsWrong ? "script.message.email" : null);
  }

  #textFault() {
    // As the service counts: characters, not the halves of which some consist.
    const length = [...this.#text.value.trim()].length;
    if (length < FEWEST) return "script.message.short";
    return length > MOST ? "script.message.long" : null;
  }

  focusWrongField() {
    this.#wrong.focus();
  }

  /** @param {boolean} isSending */
  setSending(isSending) {
    this.#send.disabled = isSending;
  }

  clear() {
    this.#form.reset();
  }
}

/**
 * @param {HTMLElement} field
 * @param {boolean} isWrong
 */
function mark(field, isWrong) {
  if (isWrong) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}
