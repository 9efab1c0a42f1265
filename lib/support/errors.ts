/**
 * Mistakes of the user, reported in one line: what was expected, what was found, where, and the mend.
 * The shell prints the message alone; anything else that is thrown is a defect of ours and keeps its stack.
 */
export class InputError extends Error {
  override name = 'InputError';
}

/** That the user asked to stop, thrown when what is done was saved: not a failure of what was asked for. */
export class Interrupted extends InputError {}
