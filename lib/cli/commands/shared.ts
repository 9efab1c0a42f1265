/** What the tables of commands share. */
import { boolean } from '../../options/kinds.js';

/** Options that a stage's schema has checked, as the type that its function takes. */
export const checked = <T>(values: Record<string, unknown>): T => values as T;

/** A run that is only planned. */
export const DRY_RUN = { dryRun: boolean('say what it would take, and stop') };
