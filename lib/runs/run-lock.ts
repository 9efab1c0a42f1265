/**
 * One run a folder: `run.lock` names the process that writes there. A lock whose process is gone is taken over, so a
 * killed run needs no mending by hand.
 *
 * Within one process the later run takes the folder over and the earlier one stops at its next write: a notebook cell
 * that was interrupted leaves its lock behind, for tslab's interrupt skips `finally`.
 */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../support/errors.js';

interface Holder {
  pid: number;
  host: string;
  /** When the process started, as the system counts; empty where it does not say. Tells apart who got a pid again. */
  started: string;
  /** Which lock of the process. */
  lock: number;
}

let locks = 0;
const held = new Set<RunLock>();
process.on('exit', () => held.forEach((lock) => lock.release()));

/** Lets one process at a time write in a folder. */
export class RunLock {
  private readonly file: string;
  private readonly mine: string;

  /** @throws InputError if another process that lives writes in the folder */
  constructor(private readonly folder: string) {
    this.file = join(folder, 'run.lock');
    const { pid } = process;
    this.mine = JSON.stringify({ pid, host: hostname(), started: startOf(pid), lock: locks++ } satisfies Holder);
    mkdirSync(folder, { recursive: true });
    while (!this.create()) this.takeOver();
    held.add(this);
  }

  /** @throws InputError if a later run of this process took the folder over */
  check(): void {
    if (read(this.file) !== this.mine) {
      throw new InputError(`${this.folder}: taken over by a later run; this one stops`);
    }
  }

  /** Lets another process write. */
  release(): void {
    held.delete(this);
    if (read(this.file) === this.mine) rmSync(this.file, { force: true });
  }

  private create(): boolean {
    try {
      writeFileSync(this.file, this.mine, { flag: 'wx' });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw new InputError(`${this.folder}: cannot be written (${(error as Error).message}); check its rights`);
    }
  }

  /** Puts a stale lock aside. Renaming is what one process alone can do, should several try at once. */
  private takeOver(): void {
    const found = read(this.file);
    if (found === undefined) {
      if (!existsSync(this.file)) return; // released meanwhile
      throw new InputError(`${this.file}: cannot be read; check its rights, or remove it if no process writes there`);
    }
    refuseLiving(this.folder, this.file, found);
    const aside = `${this.file}.${process.pid}`;
    try {
      renameSync(this.file, aside);
    } catch {
      return; // another one was faster
    }
    if (read(aside) !== found) putBack(aside, this.file);
    rmSync(aside, { force: true });
  }
}

/**
 * Whether a living process writes in the folder; of another machine's it is believed.
 * @param others leave this process out. Default false
 */
export function isLocked(folder: string, others = false): boolean {
  const found = read(join(folder, 'run.lock'));
  const holder = found === undefined ? undefined : parse(found);
  if (holder === undefined) return false;
  if (holder.host !== hostname()) return true;
  return lives(holder) && !(others && holder.pid === process.pid);
}

function refuseLiving(folder: string, file: string, found: string): void {
  const holder = parse(found);
  if (!holder) return;
  if (holder.host !== hostname()) {
    throw new InputError(
      `${folder}: in use by process ${holder.pid} on ${holder.host}; give another --run, or remove ${file} if it is gone`,
    );
  }
  if (holder.pid !== process.pid && lives(holder)) {
    throw new InputError(`${folder}: in use by process ${holder.pid}; wait for it, stop it, or give another --run`);
  }
}

function putBack(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // somebody holds the folder again; that one is refused or refuses by itself
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return Number.isInteger(holder.pid) ? (holder as Holder) : undefined;
  } catch {
    return undefined; // cut short by a kill
  }
}

function lives({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

/** Field 22 of Linux's `/proc/PID/stat`. */
function startOf(pid: number): string {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? '' : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '');
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
