/** Progress in a notebook: one line that is rewritten in place under the running cell, with a bar. */
import { progressLine, type ProgressState, setNoticeSink, setProgressSink } from '../support/progress.js';
import { inNotebook, UpdatingOutput, writeFaces } from './notebook.js';
import { escapeHtml } from './text.js';

/**
 * Sends progress, and what a run says of itself beforehand, to the running cell; call it once at the top of a notebook.
 * @returns false outside a notebook, where progress stays on standard error
 */
export function useNotebook(): boolean {
  if (!inNotebook()) return false;
  const outputs = new WeakMap<ProgressState, UpdatingOutput>(); // one state object lives as long as its work
  setProgressSink((state) => {
    const output = outputs.get(state) ?? new UpdatingOutput();
    outputs.set(state, output);
    output.write({ 'text/html': progressHtml(state), 'text/plain': progressLine(state) });
  });
  setNoticeSink((line) => void writeFaces({ 'text/html': `<p>${escapeHtml(line)}</p>`, 'text/plain': line }));
  return true;
}

function progressHtml(state: ProgressState): string {
  const bar = state.total > 0 ? `<progress value="${state.done}" max="${state.total}"></progress> ` : '';
  return `${bar}${escapeHtml(progressLine(state))}`;
}
