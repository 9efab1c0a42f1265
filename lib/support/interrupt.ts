/**
 * Interrupts that are noticed between steps. tslab's own interrupt skips `catch` and `finally` and leaves the engine's
 * scopes open; a flag that the loop reads lets it save and stop.
 */
let asked = false;

/** Ctrl-C, and what Kubernetes, Slurm and `docker stop` send before they kill; with the status of a process that each ended. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/** Catches SIGINT and SIGTERM until the returned function is called. A second one within the same step ends the process. */
export function watchInterrupts(): () => void {
  asked = false;
  const restore = (Object.keys(SIGNALS) as (keyof typeof SIGNALS)[]).map((signal) => {
    const others = process.listeners(signal);
    process.removeAllListeners(signal);
    const handler = (): void => {
      if (asked) process.exit(SIGNALS[signal]);
      asked = true;
    };
    process.on(signal, handler);
    return () => {
      process.removeListener(signal, handler);
      for (const other of others) process.on(signal, other);
    };
  });
  return () => restore.forEach((end) => end());
}

/** Whether the user asked to stop. */
export function interrupted(): boolean {
  return asked;
}
