// npm run conformance: runs Kubernetes' own specs of sig-network on the test node, and the tests of docs/versions.md, which it writes.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { unpackDebianPackage, unpackedPackageFolder } from '../test/lab/tools/debian-package.ts';
import { ensureTools } from '../test/lab/tools/ensure-tools.ts';
import { toolProgressTo } from '../test/lab/tools/tool-progress.ts';
import { toolNames } from '../test/lab/tools/tool-table.ts';
import { ensureExecutable, ensureImage } from '../build/up-to-date.ts';
import { runScript } from './command-line/run-script.ts';
import { PROJECTS, projectOf } from './test/parts.ts';
import { parseFileResults } from './versions/file-results.ts';
import { formatVersions, type FileResult } from './versions/page.ts';
import { CALICO_TEST, PARTNERS, partnerTests } from './versions/partners.ts';
import { readVersion } from './versions/read-version.ts';
import { parseStoredSpecs } from './versions/spec-report.ts';

const USAGE = `usage: npm run conformance -- [--specs FILE REPORT...]

Runs Kubernetes' own specs of sig-network that fit one node, and the tests with the programs of other projects, then writes
docs/versions.md. It needs root and takes about half an hour, the first time an hour.
  --specs FILE  writes the page only: the results of the specs are in FILE, those of the tests in REPORTs of vitest's json
                reporter
`;

const REPOSITORY = join(import.meta.dirname, '..');
const PAGE = join(REPOSITORY, 'docs', 'versions.md');
/** The Debian packages of programs that the specs call in their containers. */
const SPEC_PACKAGES = ['netcat-openbsd', 'bind9-dnsutils'] as const;

await runScript(
  { name: 'conformance', usage: USAGE, options: { specs: { type: 'string' } }, allowPositionals: true },
  async ({ values: { specs }, positionals: reports }) => {
    if (specs === undefined) await runAll();
    else
      await writePage(await readFile(specs, 'utf8'), await Promise.all(reports.map((path) => readFile(path, 'utf8'))));
    process.stderr.write(`conformance: wrote ${relative(REPOSITORY, PAGE)}\n`);
  },
);

async function runAll(): Promise<void> {
  for (const name of SPEC_PACKAGES) {
    if (!existsSync(unpackedPackageFolder(name))) await unpackDebianPackage(name, 'with dependencies');
  }
  await ensureTools(toolNames(), toolProgressTo(process.stderr));
  await ensureExecutable();
  await ensureImage();
  const work = await mkdtemp(join(REPOSITORY, 'node_modules', '.conformance-'));
  try {
    const specs = join(work, 'specs.json');
    const reports = ['end-to-end', 'node'].map((name) => join(work, `${name}.json`));
    await runProject('conformance', [], join(work, 'conformance.json'), { PODWIRE_CONFORMANCE_REPORT: specs });
    for (const project of ['end-to-end', 'node']) {
      const files = partnerTests().filter((path) => projectOf(path) === project);
      await runProject(project, files, join(work, `${project}.json`));
    }
    const texts = await Promise.all(reports.map((path) => readFile(path, 'utf8').catch(() => '{}')));
    await writePage(await readFile(specs, 'utf8').catch(() => '[]'), texts);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function runProject(
  name: string,
  files: readonly string[],
  report: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const project = PROJECTS.find((known) => known.name === name);
  if (project === undefined) throw new Error(`no project ${name}`);
  const vitest = join(REPOSITORY, 'node_modules', '.bin', 'vitest');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const [program = '', ...args] = [...project.within, vitest, 'run', '--project', name, ...reporters, ...files];
  const stdio = ['ignore', process.stderr, process.stderr] as const;
  const child = spawn(program, args, {
    cwd: REPOSITORY,
    stdio: [...stdio],
    env: { ...process.env, ...project.environment, ...environment },
  });
  await once(child, 'close');
  // A failed test is in the report and on the page.
  if (child.exitCode !== 0) process.exitCode = 1;
}

async function writePage(specs: string, reports: readonly string[]): Promise<void> {
  const files = new Map<string, FileResult>(
    reports.flatMap((json) => [...parseFileResults(json, (path) => relative(REPOSITORY, path))]),
  );
  const partners = await Promise.all(
    PARTNERS.map(async ({ what, version, test }) => ({ what, test, version: await readVersion(version) })),
  );
  await writeFile(PAGE, formatVersions({ partners, files, specs: parseStoredSpecs(specs), calicoTest: CALICO_TEST }));
}
