/** One set-up at a time: `npm start` and `npm test` in two terminals must not install into each other. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { RUN } from './paths.mjs';
import { say } from './report.mjs';

/** Runs `work` while holding the project's set-up lock; a lock whose owner is gone is taken over. */
export async function withLock(work) {
  const file = join(RUN, 'setup.lock');
  mkdirSync(RUN, { recursive: true });
  let told = false;
  while (!take(file)) {
    const owner = ownerOf(file);
    if (owner === undefined || !isAlive(owner)) {
      putAside(file, owner);
      continue;
    }
    if (!told) say(`waiting for the set-up that process ${owner} is running`);
    told = true;
    await sleep(500);
  }
  const release = () => rmSync(file, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}

/** A link appears with its content or not at all, unlike a file that is created and then written. */
function take(file) {
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Removes the lock of an owner that is gone. Renaming is what one process alone can do: two that removed it one after
 * the other could remove a lock that was taken in between, and then hold one lock both.
 */
function putAside(file, owner) {
  const aside = `${file}.gone.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // another one was faster
  }
  if (ownerOf(aside) !== owner) {
    try {
      linkSync(aside, file); // it had just been taken: give it back
    } catch {
      // and taken once more
    }
  }
  rmSync(aside, { force: true });
}

function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
