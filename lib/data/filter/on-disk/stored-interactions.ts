/** Interactions as they are read: in memory while they are few, on disk where they are more. */
import type { Scratch } from '../../../files/scratch.js';
import type { IdTable, NameList } from '../../raw/id-table.js';
import { type Interactions, type InteractionSink, InteractionsBuilder } from '../../raw/interactions.js';
import { RecordFile } from './record-file.js';

/** As `Interactions`, with the columns on disk. */
export interface StoredInteractions extends Omit<Interactions, 'users' | 'items' | 'times' | 'stars' | 'userNames'> {
  /** In the order of the source. */
  records: RecordFile;
  /** Names that are not looked up any more. */
  userNames: NameList;
}

/** Collects interactions; columns go to disk when there are too many of them. Names stay in memory. */
export class SpillingInteractions implements InteractionSink {
  readonly userNames: IdTable;
  readonly itemNames: IdTable;
  timed = true;
  length = 0;
  private builder: InteractionsBuilder | undefined = new InteractionsBuilder();
  private records: RecordFile | undefined;

  /** @param limit of interactions in memory */
  constructor(
    private readonly scratch: Scratch,
    private readonly limit: number,
  ) {
    this.userNames = this.builder!.userNames;
    this.itemNames = this.builder!.itemNames;
  }

  add(user: number, item: number, time: number, stars: number): void {
    if (this.records === undefined && this.length === this.limit) this.spill();
    this.length++;
    if (this.builder) this.builder.add(user, item, time, stars);
    else this.records!.push(time, user, item);
  }

  /** The columns in memory; undefined where they are on disk. */
  inMemory(): Interactions | undefined {
    return this.builder && { ...this.builder.done(), timed: this.timed };
  }

  /** The columns on disk, also where memory would hold them. Nothing may be added afterwards. */
  stored(): StoredInteractions {
    if (this.builder) this.spill();
    const { length, itemNames, timed, records } = this;
    return { length, records: records!, userNames: this.userNames.sealed(), itemNames, timed };
  }

  private spill(): void {
    const { length, users, items, times } = this.builder!.done();
    this.records = new RecordFile(this.scratch);
    for (let i = 0; i < length; i++) this.records.push(times[i]!, users[i]!, items[i]!);
    this.builder = undefined;
  }
}
