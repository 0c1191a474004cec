/** The chosen picture before it is sent. */

import { part } from "./part.js";

/** @typedef {import("../messages.js").Messages} Messages */

export class Preview {
  #root = part("chosen", HTMLElement);
  #image = part("preview", HTMLImageElement);
  #none = part("no-preview", HTMLElement);
  #name = part("chosen-name", HTMLElement);
  #facts = part("chosen-facts", HTMLElement);
  #messages;
  #address = "";

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
  }

  /** The picture's local address, for showing it again beside the result. */
  get address() {
    return this.#address;
  }

  /**
   * @param {File} file
   * @returns {Promise<{width: number, height: number} | null>} null when this browser cannot show it
   */
  async show(file) {
    this.hide();
    const address = URL.createObjectURL(file);
    this.#address = address;
    this.#name.textContent = file.name;
    this.#image.src = address;
    const sides = await this.#image.decode().then(
      () => ({ width: this.#image.naturalWidth, height: this.#image.naturalHeight }),
      () => null,
    );
    if (this.#address !== address) return null;
    this.#image.hidden = !sides;
    this.#none.hidden = Boolean(sides);
    const size = this.#messages.size(file.size);
    this.#facts.textContent = sides
      ? this.#messages.text("script.chosen.facts", {
          width: this.#messages.integer(sides.width),
          height: this.#messages.integer(sides.height),
          size,
        })
      : size;
    this.#root.hidden = false;
    return sides;
  }

  hide() {
    this.#root.hidden = true;
    this.#image.removeAttribute("src");
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = "";
  }
}
