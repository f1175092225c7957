import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Component } from './bill-of-materials.ts';

/** What the image carries beside podwire. */
export const PLUGINS = ['bandwidth', 'host-local', 'loopback', 'portmap', 'tuning'] as const;

export interface GoPlugins {
  readonly components: readonly Component[];
  readonly thirdPartyNotices: string;
}

/**
 * Builds the CNI project's plugins that go.mod pins, into a folder.
 *
 * @throws {Error} with Go's words, where there is no Go or a module cannot be had
 */
export async function buildGoPlugins(architecture: 'amd64' | 'arm64', folder: string): Promise<GoPlugins> {
  const go = await goCommand(architecture);
  await go(['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid=', '-o', `${folder}/`, 'tool']);
  const built = (await readdir(folder)).toSorted();
  if (built.join() !== PLUGINS.join()) throw new Error(`go.mod of the image has the tools ${built.join(', ')}`);
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
    components: all.map(({ name, version: of }) => ({ name, version: of, url: `pkg:golang/${name}@${of}` })),
    thirdPartyNotices: notices.join(`\n${'='.repeat(80)}\n\n`),
  };
}

async function goCommand(architecture: string): Promise<(words: readonly string[]) => Promise<string>> {
  const goMod = await readFile(join(import.meta.dirname, 'go.mod'), 'utf8');
  const [, toolchain] = /^toolchain (\S+)$/m.exec(goMod) ?? [];
  if (toolchain === undefined) throw new Error('go.mod of the image pins no toolchain');
  const env = {
    ...process.env,
    GOTOOLCHAIN: toolchain, // this very one, which Go fetches if it is another: else the bytes differ by machine
    GOOS: 'linux',
    GOARCH: architecture,
    CGO_ENABLED: '0',
    GOFLAGS: '-mod=readonly',
    GOWORK: 'off',
    GOAMD64: 'v1',
    GOARM64: 'v8.0',
    GOEXPERIMENT: '',
  };
  return async (words) => {
    const options = { cwd: import.meta.dirname, env, maxBuffer: 16 * 1024 * 1024 };
    return (await promisify(execFile)('go', words, options)).stdout;
  };
}

function linkedModules(contents: string): readonly { name: string; version: string }[] {
  const lines = [...contents.matchAll(/^\t(?:mod|dep)\t(\S+)\t(v\S+)/gm)];
  const versions = new Map(lines.map(([, name = '', version = '']) => [name, version]));
  return [...versions].map(([name, version]) => ({ name, version })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function noticeOf({ name, version, folder }: { name: string; version: string; folder: string }): Promise<string> {
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).toSorted();
  if (files.length === 0) throw new Error(`${name} has no licence text`);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  return `${name} ${version}\n\n${texts.join('\n')}`;
}
