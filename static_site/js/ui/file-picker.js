/** Choose, drop, paste or photograph. All ways end in the same files. */

import { Problem } from "../problems.js";
import { part } from "./part.js";

export class FilePicker {
  #input = part("file", HTMLInputElement);
  #camera = part("camera", HTMLInputElement);
  #zone = part("drop-zone", HTMLElement);
  #onFiles;
  #onProblem;

  /** @param {{onFiles: (files: File[]) => void, onProblem: (problem: Problem) => void}} handlers */
  constructor({ onFiles, onProblem }) {
    this.#onFiles = onFiles;
    this.#onProblem = onProblem;
    this.#input.addEventListener("change", () => this.#announce());
    this.#camera.addEventListener("change", () => this.#camera.files && this.#take(this.#camera.files));
    this.#listenForDrops();
    document.addEventListener("paste", (event) => {
      const files = event.clipboardData?.files;
      if (files?.length) this.#take(files);
    });
  }

  /** Open the system's file dialog. */
  open() {
    this.#input.click();
  }

  show() {
    this.#zone.hidden = false;
  }

  hide() {
    this.#zone.hidden = true;
  }

  /** Forget the files, so that choosing the same again is a change. */
  clear() {
    this.#input.value = "";
    this.#camera.value = "";
  }

  focus() {
    this.#input.focus();
  }

  /** The whole page takes drops: a file that misses the zone would otherwise replace the page. */
  #listenForDrops() {
    let depth = 0;
    const mark = () => this.#zone.classList.toggle("drop-zone-over", depth > 0);
    document.addEventListener("dragenter", (event) => {
      event.preventDefault();
      depth += 1;
      mark();
    });
    document.addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      mark();
    });
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => {
      event.preventDefault();
      depth = 0;
      mark();
      const files = event.dataTransfer?.files;
      if (files?.length) this.#take(files);
      else this.#onProblem(new Problem("no_file"));
    });
  }

  /** @param {FileList} files */
  #take(files) {
    this.#input.files = files;
    this.#announce();
  }

  #announce() {
    const files = [...(this.#input.files ?? [])];
    if (files.length > 0) this.#onFiles(files);
  }
}
