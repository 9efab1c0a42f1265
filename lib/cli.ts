#!/usr/bin/env node
/**
 * The same functions from a shell. Results go to standard output, progress to standard error; a mistake of the user's
 * is one line and exit status 1, before anything is loaded or written.
 */
import type { Command } from './cli/command.js';
import { COMMANDS } from './cli/commands.js';
import { helpAll, helpOne } from './cli/help.js';
import { record } from './cli/print.js';
import { asFlag, flagsOf, parseFlags } from './options/flags.js';
import { boolean } from './options/kinds.js';
import { nearest } from './options/nearest.js';
import { allOptions, parseOptions } from './options/schema.js';
import { InputError } from './support/errors.js';

const EVERYWHERE = { json: boolean('one JSON object on standard output'), help: boolean('this text') };

async function main(args: string[]): Promise<void> {
  const two = Object.hasOwn(COMMANDS, `${args[0]} ${args[1]}`); // `sid quality`
  const [name, rest] = two ? [`${args[0]} ${args[1]}`, args.slice(2)] : [args[0], args.slice(1)];
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    return void console.log(helpAll(COMMANDS));
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name]! : undefined;
  if (!command) throw unknownCommand(name);
  if (rest.includes('--help') || rest.includes('-h')) return void console.log(helpOne(name, command));
  const { values, extra, json } = read(name, command, rest);
  const result = await command.run(values, extra);
  console.log(json ? JSON.stringify(result) : await (command.print ?? record)(result as never));
}

/** The command line as checked options. */
function read(name: string, { schema, extra = {}, word, moreExact = () => [] }: Command, args: string[]) {
  const options = { ...allOptions(schema), ...extra, ...EVERYWHERE };
  const { values, words } = parseFlags(name, args, options, { owners: (flag) => owners(flag, name), moreExact });
  const { json, help: _, ...given } = values;
  if (word && words.length > 0) given[word] = words.shift();
  if (words.length > 0) throw new InputError(`${name}: unexpected ${words[0]}; sidlab ${name} --help lists its flags`);
  const own = Object.fromEntries(Object.entries(given).filter(([key]) => Object.hasOwn(extra, key)));
  const rest = Object.fromEntries(Object.entries(given).filter(([key]) => !Object.hasOwn(extra, key)));
  parseOptions({ ...schema, name }, rest, (option) => (option === word ? option.toUpperCase() : asFlag(option)));
  return { values: rest, extra: own, json: json === true };
}

/** Commands that have a flag. */
function owners(flag: string, but: string): string[] {
  return Object.entries(COMMANDS)
    .filter(([name, { schema, extra = {} }]) => name !== but && flagsOf({ ...allOptions(schema), ...extra }).has(flag))
    .map(([name]) => name);
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
