/** Choose, drop or paste one file. All three ways end in the same input. */

import { Problem } from "../problems.js";
import { part } from "./part.js";

export class FilePicker {
  #input = part("file", HTMLInputElement);
  #zone = part("drop-zone", HTMLElement);
  #onFile;
  #onProblem;

  /** @param {{onFile: (file: File) => void, onProblem: (problem: Problem) => void}} handlers */
  constructor({ onFile, onProblem }) {
    this.#onFile = onFile;
    this.#onProblem = onProblem;
    this.#input.addEventListener("change", () => this.#announce());
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

  /** Forget the file, so that choosing the same one again is a change. */
  clear() {
    this.#input.value = "";
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
    if (files.length > 1) return this.#onProblem(new Problem("several_files"));
    this.#input.files = files;
    this.#announce();
  }

  #announce() {
    const file = this.#input.files?.[0];
    if (file) this.#onFile(file);
  }
}
