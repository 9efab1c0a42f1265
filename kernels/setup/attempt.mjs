/**
 * Installations that may fail without stopping the rest: an index out of reach, a compiler that lacks a library.
 * A failure is remembered for ten minutes, so that the next commands do not wait for it again; a change of what
 * decides the outcome (requirements, PIP_* settings, PATH), or `npm run setup`, tries at once.
 */
import { at } from './paths.mjs';
import { hashOf, readStamp, writeStamp } from './stamp.mjs';

const REMEMBERED_MS = 10 * 60_000;

/**
 * @param {string} name of the step
 * @param {string} key hash of what decides the outcome
 * @param {() => Promise<string | undefined>} work returns why it failed, undefined when it did not
 * @param {{ again?: boolean }} options `again` tries even when it has just failed
 * @returns {Promise<string | undefined>} why it failed, now or before
 */
export async function attempt(name, key, work, { again = false } = {}) {
  const file = at('.run', `failed-${name}.json`);
  const today = hashOf(key, surroundings());
  const { key: failedKey, when = 0, why } = readStamp(file);
  const minutes = Math.round((Date.now() - when) / 60_000);
  if (!again && failedKey === today && Date.now() - when < REMEMBERED_MS) {
    return `${why}; tried ${minutes < 1 ? 'just now' : `${minutes} min ago`}`;
  }
  const failure = await work();
  writeStamp(file, failure === undefined ? {} : { key: today, when: Date.now(), why: failure });
  return failure;
}

function surroundings() {
  const names = Object.keys(process.env).filter((name) => /^(PIP_\w+|https?_proxy|PATH|CXX)$/i.test(name));
  return names
    .sort()
    .filter((name) => name !== 'PATH' || !process.env.npm_lifecycle_event) // npm adds its own folders to PATH
    .map((name) => `${name}=${process.env[name]}`)
    .join('\n');
}
