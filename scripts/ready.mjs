// Runs a TypeScript program of this repository on a fresh clone, with any Node from 20 on:
//   node scripts/ready.mjs scripts/test.ts [arguments]
// It installs the packages of package-lock.json if they are missing or differ, then runs the program on the Node 24
// that is one of them. This is plain JavaScript without packages, because it runs before anything else is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

const repository = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..');
const binaries = join(repository, 'node_modules', '.bin');

// Ctrl-C also reaches the program, which cleans up. Wait for it, so that the prompt only returns when it has finished.
process.on('SIGINT', () => undefined);

const installed = packagesMatchLockfile() ? 0 : install();
process.exitCode = installed === 0 ? runOnInstalledNode(process.argv.slice(2)) : installed;

function install() {
  process.stderr.write('ready: npm ci\n');
  return run('npm', ['ci', '--no-audit', '--no-fund'], { ...process.env, NODE_ENV: 'development' });
}

function runOnInstalledNode(commandArguments) {
  const path = `${binaries}${delimiter}${process.env.PATH ?? ''}`;
  return run(join(binaries, 'node'), commandArguments, { ...process.env, PATH: path });
}

function packagesMatchLockfile() {
  const locked = readPackages('package-lock.json');
  const installedPackages = readPackages('node_modules/.package-lock.json');
  if (locked === undefined || installedPackages === undefined) return false;
  const isMissing = ([path, { optional }]) => path !== '' && optional !== true && installedPackages[path] === undefined;
  const differs = ([path, { version, integrity }]) =>
    locked[path]?.version !== version || locked[path].integrity !== integrity;
  return !Object.entries(locked).some(isMissing) && !Object.entries(installedPackages).some(differs);
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
