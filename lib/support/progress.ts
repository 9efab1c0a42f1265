/**
 * Progress with rate and time left. In a shell one line on standard error, rewritten in place (or, where standard
 * error is no terminal, a line now and then); in a notebook whatever `setProgressSink` was given.
 * Nothing is shown for work that ends within two seconds.
 */
export interface ProgressState {
  /** What is being done. */
  label: string;
  /** Units done. */
  done: number;
  /** Units in all. */
  total: number;
  /** Name of the units. */
  unit: string;
  /** Since the start. */
  seconds: number;
  /** Numbers to show beside the bar, such as the loss. */
  note: string;
  /** Whether this is the last update. */
  finished: boolean;
}

/** What shows progress, such as a terminal or a cell. */
export type ProgressSink = (state: ProgressState) => void;

let sink: ProgressSink = toStandardError;

/** Sends progress elsewhere (a notebook's updating display); `undefined` restores standard error. */
export function setProgressSink(next: ProgressSink | undefined): void {
  sink = next ?? toStandardError;
}

let notices: (line: string) => void = toStandardErrorLine;

/** Sends sentences elsewhere (a notebook's output); `undefined` restores standard error. */
export function setNoticeSink(next: ((line: string) => void) | undefined): void {
  notices = next ?? toStandardErrorLine;
}

/** Says a sentence to whoever watches the work, such as what it will take. */
export function tell(line: string): void {
  notices(line);
}

/** A line of progress that is updated in place. */
export interface Progress {
  /** Adds `count` units done; `note` replaces the numbers beside the bar. */
  tick(count?: number, note?: string): void;
  /** Shows the last state. */
  end(): void;
}

/** @param total units in all; 0 where unknown */
export function startProgress(label: string, total: number, unit: string): Progress {
  const start = performance.now();
  const state: ProgressState = { label, done: 0, total, unit, seconds: 0, note: '', finished: false };
  let shown = 0;
  return {
    tick(count = 1, note = state.note) {
      state.done += count;
      state.note = note;
      state.seconds = (performance.now() - start) / 1000;
      if (state.seconds < 2 || performance.now() - shown < 500) return;
      shown = performance.now();
      sink(state);
    },
    end() {
      state.seconds = (performance.now() - start) / 1000;
      state.finished = true;
      if (shown > 0) sink(state);
    },
  };
}

/** `sft 120/400 steps, 3.1 steps/s, 1 min 30 s left, loss 2.31` */
export function progressLine(state: ProgressState): string {
  const { label, done, total, unit, seconds, note, finished } = state;
  const rate = done / Math.max(seconds, 1e-9);
  const of = total > 0 ? `${done}/${total}` : String(done);
  const left = finished
    ? `${duration(seconds)} in all`
    : total > 0 && done > 0
      ? `${duration((total - done) / rate)} left`
      : duration(seconds);
  return [`${label} ${of} ${unit}`, `${rate.toPrecision(3)} ${unit}/s`, left, note].filter((part) => part).join(', ');
}

/** `95` -> `1 min 35 s` */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

function toStandardErrorLine(line: string): void {
  process.stderr.write(line + '\n');
}

let lastPlainLine = 0;

function toStandardError(state: ProgressState): void {
  const line = progressLine(state);
  if (process.stderr.isTTY) {
    const width = Math.max(20, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r\x1b[2K${line.slice(0, width)}${state.finished ? '\n' : ''}`);
  } else if (state.finished || performance.now() - lastPlainLine > 10_000) {
    lastPlainLine = performance.now();
    process.stderr.write(line + '\n');
  }
}
