/** Requests so many a minute at most, evenly spaced, and so many at once. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A clock, for tests. */
export interface Clock {
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
}

const CLOCK: Clock = { now: () => performance.now(), sleep };

/** @returns waits until the next request may start; requests start at least 60 / `perMinute` seconds apart */
export function rateLimit(perMinute: number, clock: Clock = CLOCK): () => Promise<void> {
  const apart = 60_000 / perMinute;
  let next = -Infinity;
  return async () => {
    const start = Math.max(clock.now(), next);
    next = start + apart;
    const wait = start - clock.now();
    if (wait > 0) await clock.sleep(wait);
  };
}

/**
 * Works off a list, `atOnce` tasks at a time, in its order.
 * @param stop is asked before each task; the rest is left where it is true
 */
export async function inParallel<T>(
  list: readonly T[],
  atOnce: number,
  work: (element: T) => Promise<void>,
  stop: () => boolean = () => false,
): Promise<void> {
  let at = 0;
  let failed = false;
  const worker = async (): Promise<void> => {
    while (at < list.length && !failed && !stop()) {
      try {
        await work(list[at++]!);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const done = await Promise.allSettled(Array.from({ length: Math.min(atOnce, list.length) }, worker));
  const broken = done.find((result) => result.status === 'rejected');
  if (broken) throw broken.reason;
}
