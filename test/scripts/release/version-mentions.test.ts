import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versionMentions, withVersion } from '../../../scripts/release/version-mentions.ts';
import { PODWIRE_VERSION } from '../../../src/version.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');

it('every file that mentions a version of podwire mentions that of package.json', () => {
  const files = execFileSync('git', ['ls-files', '--', 'src/version.ts', 'cni-conf', 'docs/*.md', 'README.md'], {
    cwd: REPOSITORY,
  });
  const mentions = files
    .toString()
    .trim()
    .split('\n')
    .flatMap((path) =>
      versionMentions(readFileSync(join(REPOSITORY, path), 'utf8')).map((version) => ({ path, version })),
    );
  expect(mentions.filter(({ version }) => version !== PODWIRE_VERSION)).toEqual([]);
  expect(mentions.length).toBeGreaterThan(5);
});

describe('a new version', () => {
  const becomes = (why: string, text: string, expected: string) =>
    it(why, () => expect(withVersion(text, '1.0.0', '1.1.0')).toBe(expected));

  becomes('in the source', "PODWIRE_VERSION = '1.0.0'", "PODWIRE_VERSION = '1.1.0'");
  becomes('in an image', 'image: localhost/podwire:1.0.0', 'image: localhost/podwire:1.1.0');
  becomes('in the tag of a kustomization', '    newTag: 1.0.0', '    newTag: 1.1.0');
  becomes('in the name of a file', 'podwire-1.0.0-bgp.yaml', 'podwire-1.1.0-bgp.yaml');
  becomes('not in another version', 'podwire:1.0.1', 'podwire:1.0.1');
  becomes('not in that of CNI', '"cniVersion": "1.0.0"', '"cniVersion": "1.0.0"');
});
