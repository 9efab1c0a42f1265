/** A catalogue as it is read: in memory while it is small, on disk as JSON lines where it is larger. */
import { InputError } from '../../../support/errors.js';
import { linesIn } from '../../../files/whole-file.js';
import type { Scratch, ScratchFile } from '../../../files/scratch.js';
import { IdTable } from '../../raw/id-table.js';
import type { CatalogueItem, ItemList, ItemSink } from '../../raw/shelf.js';

/** Bytes that are read at once, and characters that are written. */
const PIECE = 1 << 20;

/** Items in their order; on disk when there are too many of them. */
export class SpillingItems implements ItemList {
  length = 0;
  private items: CatalogueItem[] = [];
  private file: ScratchFile | undefined;
  private waiting = '';

  /** @param limit of items in memory */
  constructor(
    private readonly scratch: Scratch,
    private readonly limit: number,
  ) {}

  push(item: CatalogueItem): void {
    if (this.length++ < this.limit) return void this.items.push(item);
    if (this.file === undefined) {
      this.file = this.scratch.open();
      for (const before of this.items.splice(0)) this.write(before);
    }
    this.write(item);
  }

  /** Whether they are on disk. */
  get spilled(): boolean {
    return this.file !== undefined;
  }

  *[Symbol.iterator](): Generator<CatalogueItem> {
    yield* this.items;
    if (this.file === undefined) return;
    this.flush();
    const block = new Uint8Array(PIECE);
    let rest = new Uint8Array(0);
    for (let at = 0; at < this.file.size; at += PIECE) {
      const bytes = Buffer.concat([rest, block.subarray(0, this.file.read(at, block))]);
      const end = bytes.lastIndexOf(10) + 1;
      rest = Uint8Array.from(bytes.subarray(end));
      if (end > 0) for (const line of linesIn(bytes.subarray(0, end - 1))) yield JSON.parse(line) as CatalogueItem;
    }
  }

  private write(item: CatalogueItem): void {
    this.waiting += `${JSON.stringify(item)}\n`;
    if (this.waiting.length > PIECE) this.flush();
  }

  private flush(): void {
    this.file!.append(Buffer.from(this.waiting));
    this.waiting = '';
  }
}

/** What an item file is read into; the first item of an id is kept. */
export class SpillingShelf implements ItemSink {
  readonly items: SpillingItems;
  /** Items whose id had come before. */
  duplicates = 0;
  private readonly names = new IdTable();

  constructor(scratch: Scratch, limit: number) {
    this.items = new SpillingItems(scratch, limit);
  }

  put(item: CatalogueItem): void {
    if (this.names.id(item.asin) < this.items.length) this.duplicates++;
    else this.items.push(item);
  }

  /** @throws InputError if nothing was put */
  checked(path: string): this {
    if (this.items.length > 0) return this;
    throw new InputError(`${path}: expected items, got an empty file; check the path`);
  }
}
