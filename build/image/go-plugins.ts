import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Component } from './bill-of-materials.ts';

/** The CNI project's plugins that the image contains. */
export const PLUGINS = ['bandwidth', 'host-local', 'loopback', 'portmap', 'tuning'] as const;

export interface GoPlugins {
  readonly components: readonly Component[];
  readonly thirdPartyNotices: string;
}

/**
 * Builds the CNI project's plugins, in the versions that go.mod pins, into a folder.
 *
 * @throws {Error} with the output of Go, if Go is missing or a module cannot be downloaded
 */
export async function buildGoPlugins(architecture: 'amd64' | 'arm64', folder: string): Promise<GoPlugins> {
  const go = await goCommand(architecture);
  await go(['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=', '-o', `${folder}/`, 'tool']);
  const built = (await readdir(folder)).toSorted();
  if (built.join() !== PLUGINS.join()) {
    throw new Error(`expected build/image/go.mod to have the tools ${PLUGINS.join(', ')}, got ${built.join(', ')}`);
  }
  const contents = await go(['version', '-m', ...PLUGINS.map((name) => join(folder, name))]);
  const modules = linkedModules(contents);
  const [version = '', root = ''] = (await go(['env', 'GOVERSION', 'GOROOT'])).trim().split('\n');
  const standardLibrary = { name: 'stdlib', version: version.replace(/^go/, ''), folder: root };
  const withFolders = await Promise.all(
    modules.map(async (module) => ({
      ...module,
      folder: (await go(['list', '-m', '-f', '{{.Dir}}', module.name])).trim(),
    })),
  );
  const all = [standardLibrary, ...withFolders];
  const notices = await Promise.all(all.map(noticeOf));
  return {
    components: all.map((module) => ({
      name: module.name,
      version: module.version,
      url: `pkg:golang/${module.name}@${module.version}`,
    })),
    thirdPartyNotices: notices.join(`\n${'='.repeat(80)}\n\n`),
  };
}

async function goCommand(architecture: string): Promise<(args: readonly string[]) => Promise<string>> {
  const goMod = await readFile(join(import.meta.dirname, 'go.mod'), 'utf8');
  const [, toolchain] = /^toolchain (\S+)$/m.exec(goMod) ?? [];
  if (toolchain === undefined) throw new Error('build/image/go.mod does not pin a toolchain');
  const env = {
    ...process.env,
    // Go downloads exactly this version if necessary, so that all machines produce the same bytes.
    GOTOOLCHAIN: toolchain,
    GOOS: 'linux',
    GOARCH: architecture,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly',
    GOWORK: 'off',
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    GOEXPERIMENT: '',
  };
  return async (args) => {
    const options = { cwd: import.meta.dirname, env, maxBuffer: 16 * 1024 * 1024 };
    return (await promisify(execFile)('go', args, options)).stdout;
  };
}

function linkedModules(contents: string): readonly { name: string; version: string }[] {
  const lines = [...contents.matchAll(/^\t(?:mod|dep)\t(\S+)\t(v\S+)/gm)];
  const versions = new Map(lines.map(([, name = '', version = '']) => [name, version]));
  return [...versions].map(([name, version]) => ({ name, version })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function noticeOf({ name, version, folder }: { name: string; version: string; folder: string }): Promise<string> {
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).toSorted();
  if (files.length === 0) throw new Error(`${name} has no license text in ${folder}`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return `${name} ${version}\n\n${texts.join('\n')}`;
}
