/**
 * The kit at another commit, built in a git worktree below `.run/`: what ours is compared with where an older self is the
 * peer. It shares this one's packages, but not its native operations: those change from commit to commit.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { homeFolder } from 'sidlab';

const ADDON = '@tensorflow/tfjs-node-gpu';

/** @returns its folder, with `dist/` in it; made once @throws if the commit is not in this clone, or does not build */
export function kitAt(commit: string): string {
  const home = homeFolder();
  const folder = join(home, '.run', `kit-${commit}`);
  const built = join(folder, '.run', 'built');
  if (existsSync(built)) return folder;
  const run = (command: string, args: string[], cwd: string): void =>
    void execFileSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (!existsSync(join(folder, 'package.json'))) {
    run('git', ['worktree', 'prune'], home);
    run('git', ['worktree', 'add', '--detach', folder, commit], home);
  }
  shareLinks(home, folder);
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], folder);
  const ops = "import('./kernels/setup/tensorflow-ops.mjs').then(({ buildOps }) => buildOps({ again: true }))";
  run(process.execPath, ['-e', ops], folder);
  const file = join('node_modules', ADDON, 'lib/sidlab-ops/ops.node');
  if (existsSync(join(home, file)) && !existsSync(join(folder, file))) {
    throw new Error(
      `${folder}: its native operations did not compile (see .run/ops.log there); it would be too slow a peer`,
    );
  }
  mkdirSync(built, { recursive: true });
  return folder;
}

/** Links to the packages of Node and Python; a copy of the addon's, whose folder the operations are built in. */
function shareLinks(home: string, folder: string): void {
  const link = (path: string): void => {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    if (!existsSync(to)) symlinkSync(join(home, path), to);
  };
  if (existsSync(join(home, '.venv'))) link('.venv');
  for (const name of readdirSync(join(home, 'node_modules'))) {
    if (name !== dirname(ADDON)) link(join('node_modules', name));
  }
  for (const name of readdirSync(join(home, 'node_modules', dirname(ADDON)))) {
    const path = join('node_modules', dirname(ADDON), name);
    if (path !== join('node_modules', ADDON)) link(path);
    else
      cpSync(join(home, path), join(folder, path), { recursive: true, filter: (from) => !from.includes('sidlab-ops') });
  }
}
