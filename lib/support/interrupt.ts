/**
 * Interrupts that are noticed between steps. tslab's own interrupt skips `catch` and `finally` and leaves the engine's
 * scopes open; a flag that the loop reads lets it save and stop.
 */
let asked = false;

/** Catches SIGINT until the returned function is called. A second SIGINT within the same step ends the process. */
export function watchInterrupts(): () => void {
  asked = false;
  const others = process.listeners('SIGINT');
  process.removeAllListeners('SIGINT');
  const handler = (): void => {
    if (asked) process.exit(130);
    asked = true;
  };
  process.on('SIGINT', handler);
  return () => {
    process.removeListener('SIGINT', handler);
    for (const other of others) process.on('SIGINT', other);
  };
}

/** Whether the user asked to stop. */
export function interrupted(): boolean {
  return asked;
}
