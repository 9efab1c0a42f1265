/** Memory of this process as Linux counts it. */
import { readFileSync, writeFileSync } from 'node:fs';

/** Bytes in memory now, and the most since the process began or `forgetPeak`. */
export function resident(): { now: number; peak: number } {
  const status = readFileSync('/proc/self/status', 'utf8');
  const bytes = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)![1]) * 1024;
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') };
}

/** The peak is counted from here on. */
export function forgetPeak(): void {
  writeFileSync('/proc/self/clear_refs', '5');
}
