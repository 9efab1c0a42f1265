/** Which histories are long enough to say what their users buy. */

/**
 * Items of a history from which on a list or a target is compared with it: one or two say too little, and a row that fails
 * for want of history would be blamed on whatever is compared.
 */
export const TELLING_HISTORY = 3;
