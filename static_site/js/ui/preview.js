/** The chosen picture or video before it is sent. */

import { part } from "./part.js";

/** @typedef {import("../messages.js").Messages} Messages */
/** @typedef {{width: number, height: number}} Sides */

/** Some browsers neither open nor refuse a video that they cannot play. */
const VIDEO_DEADLINE_MS = 3_000;

export class Preview {
  #root = part("chosen", HTMLElement);
  #image = part("preview", HTMLImageElement);
  #video = part("preview-video", HTMLVideoElement);
  #none = part("no-preview", HTMLElement);
  #name = part("chosen-name", HTMLElement);
  #facts = part("chosen-facts", HTMLElement);
  #messages;
  #address = "";

  /** @param {Messages} messages */
  constructor(messages) {
    this.#messages = messages;
  }

  /**
   * @param {File} file
   * @param {boolean} isVideo
   * @returns {Promise<Sides | null>} null when this browser cannot show it
   */
  async show(file, isVideo) {
    this.hide();
    const address = URL.createObjectURL(file);
    this.#address = address;
    this.#name.textContent = file.name;
    const sides = await (isVideo ? this.#openVideo(address) : this.#openImage(address));
    if (this.#address !== address) return null;
    this.#image.hidden = isVideo || !sides;
    this.#video.hidden = !isVideo || !sides;
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
    this.#video.removeAttribute("src");
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = "";
  }

  /**
   * @param {string} address
   * @returns {Promise<Sides | null>}
   */
  #openImage(address) {
    this.#image.src = address;
    return this.#image.decode().then(
      () => ({ width: this.#image.naturalWidth, height: this.#image.naturalHeight }),
      () => null,
    );
  }

  /**
   * @param {string} address
   * @returns {Promise<Sides | null>}
   */
  #openVideo(address) {
    return new Promise((resolve) => {
      this.#video.onloadedmetadata = () => {
        const { videoWidth: width, videoHeight: height } = this.#video;
        resolve(width ? { width, height } : null);
      };
      this.#video.onerror = () => resolve(null);
      setTimeout(() => resolve(null), VIDEO_DEADLINE_MS);
      this.#video.src = address;
    });
  }
}
