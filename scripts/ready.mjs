// Runs a TypeScript program of ours on a fresh clone, whatever Node from 20 on the machine has:
//   node scripts/ready.mjs scripts/test.ts [arguments]
// Installs the packages of package-lock.json unless they are there, then goes on with the Node 24 that is one of them.
// Plain JavaScript without packages, because it runs before there is anything else.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

const repository = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const binaries = join(repository, 'node_modules', '.bin');

// Ctrl-C reaches the program too, which cleans up; we wait for it, so that the prompt comes back when all is done.
process.on('SIGINT', () => undefined);

const installed = packagesMatchLockfile() ? 0 : install();
process.exitCode = installed === 0 ? runOnOurNode(process.argv.slice(2)) : installed;

function install() {
  process.stderr.write('ready: npm ci\n');
  return run('npm', ['ci', '--no-audit', '--no-fund'], { ...process.env, NODE_ENV: 'development' });
}

function runOnOurNode(commandArguments) {
  const path = `${binaries}${delimiter}${process.env.PATH ?? ''}`;
  return run(join(binaries, 'node'), commandArguments, { ...process.env, PATH: path });
}

function packagesMatchLockfile() {
  const wanted = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  if (wanted === undefined || present === undefined) return false;
  const isMissing = ([path, { optional }]) => path !== '' && optional !== true && present[path] === undefined;
  const isOther = ([path, { version, integrity }]) =>
    wanted[path]?.version !== version || wanted[path].integrity !== integrity;
  return !Object.entries(wanted).some(isMissing) && !Object.entries(present).some(isOther);
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(repository, path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function run(command, commandArguments, env) {
  const { status, signal, error } = spawnSync(command, commandArguments, { cwd: repository, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 0);
}
