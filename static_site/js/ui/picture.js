/** The image with the heatmap over it. The heatmap stays off, and is not even fetched, until asked for. */

import { part } from "./part.js";

export class Picture {
  #frame = part("picture", HTMLElement);
  #image = part("result-image", HTMLImageElement);
  #noImage = part("result-no-image", HTMLElement);
  #heatmap = part("heatmap", HTMLImageElement);
  #controls = part("heatmap-controls", HTMLElement);
  #caption = part("heatmap-caption", HTMLElement);
  #shown = part("heatmap-show", HTMLInputElement);
  #strength = part("heatmap-strength", HTMLInputElement);
  #failed = part("heatmap-failed", HTMLElement);
  #heatmapAddress = "";

  constructor() {
    this.#shown.addEventListener("change", () => this.#update());
    this.#strength.addEventListener("input", () => this.#update());
    this.#heatmap.addEventListener("error", () => this.#reportFailure());
  }

  /**
   * @param {{image: string | null, heatmap: string | null, width: number, height: number}} addresses
   * `image` is null when this browser cannot show the file's format, `heatmap` when there is none
   */
  show({ image, heatmap, width, height }) {
    this.#image.hidden = !image;
    this.#noImage.hidden = Boolean(image);
    if (image) this.#image.src = image;
    // Without the image, its frame still needs its shape for the heatmap to make sense.
    this.#frame.style.aspectRatio = image ? "" : `${width} / ${height}`;
    this.#heatmapAddress = heatmap ?? "";
    this.#controls.hidden = !heatmap;
    this.#caption.hidden = !heatmap;
    this.#failed.hidden = true;
    this.#shown.checked = false;
    this.#shown.disabled = false;
    this.#update();
  }

  clear() {
    this.#image.removeAttribute("src");
    this.#heatmap.removeAttribute("src");
    this.#heatmap.hidden = true;
  }

  #update() {
    const shown = this.#shown.checked;
    if (shown && !this.#heatmap.hasAttribute("src")) this.#heatmap.src = this.#heatmapAddress;
    this.#heatmap.hidden = !shown;
    this.#strength.disabled = !shown;
    this.#heatmap.style.opacity = String(this.#strength.valueAsNumber / 100);
  }

  #reportFailure() {
    this.#heatmap.removeAttribute("src");
    this.#heatmap.hidden = true;
    this.#shown.checked = false;
    this.#shown.disabled = true;
    this.#strength.disabled = true;
    this.#failed.hidden = false;
  }
}
