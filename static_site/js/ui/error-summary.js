/** Says what went wrong and what to do, takes the focus, and links to the field that can cure it. */

import { part } from "./part.js";

export class ErrorSummary {
  #root = part("error-summary", HTMLElement);
  #link = part("error-link", HTMLAnchorElement);
  #text = part("error-text", HTMLElement);
  #advice = part("error-advice", HTMLElement);

  /** @param {() => void} onFollow called when the visitor follows the link to the field */
  constructor(onFollow) {
    this.#link.addEventListener("click", (event) => {
      event.preventDefault();
      onFollow();
    });
  }

  /**
   * @param {string} text
   * @param {{advice: string, linksToField: boolean}} options
   */
  show(text, { advice, linksToField }) {
    const [shown, other] = linksToField ? [this.#link, this.#text] : [this.#text, this.#link];
    shown.textContent = text;
    shown.hidden = false;
    other.hidden = true;
    this.#advice.textContent = advice;
    this.#advice.hidden = !advice;
    this.#root.hidden = false;
    this.#root.focus();
  }

  hide() {
    this.#root.hidden = true;
  }
}
