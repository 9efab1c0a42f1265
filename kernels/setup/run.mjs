/** Child processes of the set-up: quiet ones, whose output goes to a log, and shown ones, which own the terminal. */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, RUN } from './paths.mjs';

/**
 * Runs a command in the project's root with its output in `.run/NAME.log`.
 * @returns {Promise<{ ok: boolean, code: number, output: string, log: string }>} `output` is stdout and stderr together;
 *   a command that does not exist gives code 127
 */
export function quietly(name, command, args, { env = {}, cwd = ROOT, timeout } = {}) {
  mkdirSync(RUN, { recursive: true });
  const log = join(RUN, `${name}.log`);
  const sink = createWriteStream(log);
  let output = '';
  return new Promise((resolve) => {
    const done = (code) => sink.end(() => resolve({ ok: code === 0, code, output, log }));
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(timeout ? { timeout } : {}),
    });
    const take = (chunk) => {
      output += chunk;
      sink.write(chunk);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', (error) => {
      take(String(error.message));
      done(127);
    });
    child.on('close', (code, signal) => child.pid !== undefined && done(code ?? (signal ? 128 : 1)));
  });
}

/** Runs a command with the terminal as its own. @returns {Promise<number>} exit status */
export function shown(command, args, { env = {}, cwd = ROOT } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'inherit' });
    const pass = (signal) => child.kill(signal);
    // The terminal sends Ctrl-C to the child as well; this process only has to outlive it.
    const wait = () => {};
    process.on('SIGINT', wait).on('SIGTERM', pass);
    child.on('error', (error) => {
      process.stderr.write(`sidlab: ${error.message}\n`);
      resolve(127);
    });
    child.on('close', (code, signal) => {
      process.off('SIGINT', wait).off('SIGTERM', pass);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}

/** The last line of `output` that says what went wrong, without its prefix. */
export function reasonIn(output) {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
  const errors = lines.filter((line) => /error|not found|cannot|unable|denied/i.test(line));
  return (errors.at(-1) ?? lines.at(-1) ?? 'no output')
    .replace(/^(npm )?(error|fatal error|fatal):?\s*/i, '')
    .slice(0, 160);
}
