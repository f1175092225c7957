import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CniError } from '../../../src/cni/error.ts';
import { readConfiguredFile } from '../../../src/cluster/credentials/configured-file.ts';
import { makeFolder } from '../loopback-cluster.ts';

const read = (make: (path: string) => void) => {
  using folder = makeFolder();
  const path = join(folder.path, 'file');
  make(path);
  return readConfiguredFile({ path, what: 'token file', namedBy: 'KUBECONFIG in the environment' });
};

describe('a file that is configured', () => {
  const refuses = (why: string, message: RegExp, make: (path: string) => void) =>
    it(why, () => {
      expect(() => read(make)).toThrow(message);
      expect(() => read(make)).toThrow(CniError);
      expect(() => read(make)).toThrow(/^the token file \S+file .*KUBECONFIG in the environment$/);
    });
  refuses('that is a FIFO is refused at once', /not a regular file/, (path) => execFileSync('mkfifo', [path]));
  refuses('that is a folder is refused', /is a directory/, (path) => mkdirSync(path));
  refuses('of a gigabyte is refused unread', /has 1073741824 bytes/, (path) => {
    writeFileSync(path, '');
    truncateSync(path, 2 ** 30);
  });
  refuses('that links to itself is refused', /loop of symbolic links \(ELOOP\)/, (path) => symlinkSync(path, path));
  refuses('that is not UTF-8 is refused', /is not UTF-8/, (path) => writeFileSync(path, Buffer.from([0xc3, 0x28])));
  refuses('with NUL bytes is refused', /is binary/, (path) => writeFileSync(path, 'a\0b'));
  refuses('that is missing is refused', /does not exist \(ENOENT\)/, () => undefined);

  it('that a link points to is read, as Kubernetes mounts tokens', () => {
    expect(
      read((path) => {
        writeFileSync(`${path}-target`, 'ü');
        symlinkSync(`${path}-target`, path);
      }),
    ).toBe('ü');
  });
});
