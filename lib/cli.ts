#!/usr/bin/env node
/**
 * The same functions from a shell. Results go to standard output, progress to standard error; a mistake of the user's
 * is one line and exit status 1, before anything is loaded or written.
 */
import { COMMANDS } from './cli/commands.js';
import { helpAll, helpOne } from './cli/help.js';
import { record } from './cli/print.js';
import { readCommandLine } from './cli/read-command-line.js';
import { runCommand } from './cli/run-command.js';
import { nearest } from './options/nearest.js';
import { InputError } from './support/errors.js';

async function main(line: string[]): Promise<void> {
  const end = line.includes('--') ? line.indexOf('--') : line.length;
  const [args, wrapped] = [line.slice(0, end), line.slice(end + 1)];
  const two = Object.hasOwn(COMMANDS, `${args[0]} ${args[1]}`); // `sid quality`
  const [name, rest] = two ? [`${args[0]} ${args[1]}`, args.slice(2)] : [args[0], args.slice(1)];
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    return void console.log(helpAll(COMMANDS));
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
  if (!command) throw unknownCommand(name);
  if (rest.includes('--help') || rest.includes('-h')) return void console.log(helpOne(name, command, rest));
  const { values, extra, json } = readCommandLine(name, command, rest);
  if (wrapped.length > 0 && !command.wraps) throw new InputError(`${name}: unexpected --; only local takes a command`);
  const result = await runCommand(name, command, () => command.run(values, extra, wrapped));
  if (result !== undefined)
    console.log(json ? JSON.stringify(result) : await (command.print ?? record)(result as never));
}

function unknownCommand(name: string): InputError {
  const names = Object.keys(COMMANDS);
  const close = nearest(name, names);
  const mend = close === undefined ? `expected one of ${names.join(', ')}` : `did you mean ${close}?`;
  return new InputError(`unknown command ${name}; ${mend}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof InputError ? `sidlab: ${error.message.replace(/^sidlab: /, '')}` : error);
  process.exitCode = 1;
}
