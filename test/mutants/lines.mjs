/** Values kept by key in a file of JSON lines; the last line of a key counts, and a line cut short by a kill is dropped. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** @template T */
export class Lines {
  /** @type {Map<string, T>} */
  #values = new Map();

  /** @param {string} file made on the first `set` */
  constructor(file) {
    this.file = file;
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      try {
        const { key, ...value } = JSON.parse(line);
        this.#values.set(key, value);
      } catch {
        continue;
      }
    }
  }

  /** @param {string} key @returns {T | undefined} */
  get(key) {
    return this.#values.get(key);
  }

  /** @param {string} key @param {T} value */
  set(key, value) {
    mkdirSync(dirname(this.file), { recursive: true });
    appendFileSync(this.file, `${JSON.stringify({ key, ...value })}\n`);
    this.#values.set(key, value);
  }
}
