/** The image with the heatmap over it, or the video. The heatmap is not even fetched until asked for. */

import { part } from "./part.js";

/** @typedef {import("../api.js").Detection} Detection */
/** @typedef {import("../messages.js").Messages} Messages */

export class Picture {
  #frame = part("picture", HTMLElement);
  #heading = part("picture-heading", HTMLElement);
  #image = part("result-image", HTMLImageElement);
  #video = part("result-video", HTMLVideoElement);
  #missing = part("result-no-image", HTMLElement);
  #heatmap = part("heatmap", HTMLImageElement);
  #controls = part("heatmap-controls", HTMLElement);
  #caption = part("heatmap-caption", HTMLElement);
  #shown = part("heatmap-show", HTMLInputElement);
  #strength = part("heatmap-strength", HTMLInputElement);
  #failed = part("heatmap-failed", HTMLElement);
  #messages;
  #address = "";
  #heatmapAddress = "";
  /** @type {Detection | null} */
  #detection = null;

  /**
   * @param {Messages} messages
   * @param {(seconds: number) => void} onTime called while the video plays
   */
  constructor(messages, onTime) {
    this.#messages = messages;
    this.#shown.addEventListener("change", () => this.#update());
    this.#strength.addEventListener("input", () => this.#update());
    this.#heatmap.addEventListener("error", () => this.#reportFailure());
    this.#image.addEventListener("error", () => this.#miss("script.picture.unknown"));
    this.#video.addEventListener("error", () => this.#miss("script.picture.unknown"));
    this.#video.addEventListener("timeupdate", () => onTime(this.#video.currentTime));
  }

  /**
   * @param {Detection} detection
   * @param {{file: File | null, heatmap: string | null}} sources `file` is null when the page was loaded again since it
   * was chosen, `heatmap` when there is none
   */
  show(detection, { file, heatmap }) {
    this.clear();
    this.#detection = detection;
    const isVideo = detection.media.kind === "video";
    this.#heading.textContent = this.#messages.text(isVideo ? "script.picture.video" : "script.picture.image");
    this.#missing.hidden = true;
    this.#image.hidden = isVideo;
    this.#video.hidden = !isVideo;
    this.#frame.style.aspectRatio = "";
    if (file) {
      this.#address = URL.createObjectURL(file);
      (isVideo ? this.#video : this.#image).src = this.#address;
    } else {
      this.#miss("script.picture.gone");
    }
    this.#heatmapAddress = heatmap ?? "";
    this.#controls.hidden = !heatmap;
    this.#caption.hidden = !heatmap;
    this.#failed.hidden = true;
    this.#shown.checked = false;
    this.#shown.disabled = false;
    this.#update();
  }

  clear() {
    this.#detection = null;
    this.#image.removeAttribute("src");
    this.#video.removeAttribute("src");
    this.#video.load(); // stops it
    this.#heatmap.removeAttribute("src");
    this.#heatmap.hidden = true;
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = "";
  }

  /** @param {number} seconds where the video is to go */
  seek(seconds) {
    if (!this.#video.hidden) this.#video.currentTime = seconds;
  }

  /** @param {string} key of what stands in the picture's place */
  #miss(key) {
    if (!this.#detection) return; // it was only put away
    this.#image.hidden = true;
    this.#video.hidden = true;
    this.#missing.textContent = this.#messages.text(key);
    this.#missing.hidden = false;
    // Without the image, its frame still needs its shape for the heatmap to make sense.
    const { kind, width, height } = this.#detection.media;
    this.#frame.style.aspectRatio = kind === "image" ? `${width} / ${height}` : "";
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
