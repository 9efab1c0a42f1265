/** Which code made a result: a hash of the kit's own files, and the commit where they lie in a checkout. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJson } from '../files/files.js';

/** Which code made a result. */
export interface CodeVersion {
  /** SHA-256 over the kit's own files, compiled or not as they ran. */
  hash: string;
  /** Of the git checkout that they lie in, null outside one. */
  commit: string | null;
  /** Whether the checkout's files differ from the commit's; null outside one. */
  changed: boolean | null;
}

let code: CodeVersion | undefined;

/** Which code runs; computed once a process. */
export function codeVersion(): CodeVersion {
  return (code ??= { hash: hashCode(LIB), ...gitState(LIB) });
}

const LIB = fileURLToPath(new URL('..', import.meta.url));

function hashCode(folder: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  for (const name of names.filter((name) => /(?<!\.d)\.(js|ts|json)$/.test(name))) {
    hash
      .update(`${name}\0`)
      .update(readFileSync(join(folder, name)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** An installed package may lie within somebody else's checkout: only one that tracks the kit's own package counts. */
function gitState(folder: string): Pick<CodeVersion, 'commit' | 'changed'> {
  const git = (...args: string[]): string | null => {
    const { status, stdout } = spawnSync('git', ['-C', join(folder, '..'), ...args], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  };
  const commit = git('ls-files', '--error-unmatch', 'package.json') === null ? null : git('rev-parse', 'HEAD');
  if (commit === null) return { commit: null, changed: null };
  return { commit, changed: git('status', '--porcelain', '--untracked-files=no', '--', '.') !== '' };
}

/** Of `package.json`. */
export function packageVersion(): string {
  return readJson<{ version: string }>(join(LIB, '..', 'package.json')).version;
}
