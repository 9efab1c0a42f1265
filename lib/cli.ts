#!/usr/bin/env node
/**
 * The same functions from a shell. Results go to standard output, progress to standard error; a mistake of the user's
 * is one line and exit status 1.
 */
import { COMMANDS } from './cli/commands.js';
import { parseFlags } from './cli/flags.js';
import { helpAll, helpOne, record } from './cli/print.js';
import { useEngine } from './engine/engine.js';
import { InputError } from './support/errors.js';

async function main(args: string[]): Promise<void> {
  const two = Object.hasOwn(COMMANDS, `${args[0]} ${args[1]}`); // `sid quality`
  const [name, rest] = two ? [`${args[0]} ${args[1]}`, args.slice(2)] : [args[0], args.slice(1)];
  if (name === undefined || name === '--help' || name === 'help') return void console.log(helpAll(COMMANDS));
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
  if (!command) throw new InputError(`sidlab: expected one of ${Object.keys(COMMANDS).join(', ')}, got ${name}`);
  const { values, rest: words } = parseFlags(name, rest, command.flags);
  const { json, help, ...given } = values;
  if (help) return void console.log(helpOne(name, command));
  for (const flag of command.needs ?? []) {
    if (!rest.some((word) => word === `--${flag}` || word.startsWith(`--${flag}=`))) {
      throw new InputError(`${name}: expected --${flag}; sidlab ${name} --help names the flags`);
    }
  }
  if (words.length > (command.words ? 1 : 0)) throw new InputError(`${name}: unexpected ${words.at(-1)}`);
  if (command.engine) await useEngine();
  const result = await command.run(given, words);
  console.log(json ? JSON.stringify(result) : (command.print ?? record)(result as never));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof InputError ? `sidlab: ${error.message.replace(/^sidlab: /, '')}` : error);
  process.exitCode = 1;
}
