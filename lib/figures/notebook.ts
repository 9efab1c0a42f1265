/**
 * The way into a Jupyter notebook: outputs in several formats, and outputs that can be replaced.
 *
 * tslab's own `display` sends one format at a time; `lastWriteDisplayData` of its kernel sends any number. The kernel's
 * module is looked up among those this process has loaded and never loaded from here, so outside a notebook nothing
 * of tslab is touched.
 */
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Json } from './figure.js';

/** MIME type -> content; the front end shows the richest that it knows. */
export type Faces = Record<string, Json>;

interface DisplayData {
  data: Faces;
  metadata: Record<string, never>;
  transient: { display_id?: string };
}
type WriteDisplayData = (data: DisplayData, update: boolean) => void;

const require = createRequire(import.meta.url);

function writer(): WriteDisplayData | undefined {
  const kernel = Object.keys(require.cache).find((file) => /[\\/]tslab[\\/]dist[\\/]jupyter\.js$/.test(file));
  if (kernel === undefined) return undefined;
  const { lastWriteDisplayData } = require.cache[kernel]!.exports as { lastWriteDisplayData?: WriteDisplayData | null };
  return lastWriteDisplayData ?? undefined;
}

/** True in a tslab cell. */
export function inNotebook(): boolean {
  return writer() !== undefined;
}

/** Shows an output in the running cell. @returns false outside a notebook, where nothing happens */
export function writeFaces(faces: Faces): boolean {
  const write = writer();
  write?.({ data: faces, metadata: {}, transient: {} }, false);
  return write !== undefined;
}

/** One output whose content is replaced at each call. */
export class UpdatingOutput {
  private readonly id = randomBytes(8).toString('hex');
  private shown = false;

  /** @returns false outside a notebook, where nothing happens */
  write(faces: Faces): boolean {
    const write = writer();
    write?.({ data: faces, metadata: {}, transient: { display_id: this.id } }, this.shown);
    this.shown = true;
    return write !== undefined;
  }
}
