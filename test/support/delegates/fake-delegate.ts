import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Creates an IPAM plugin from a few lines of shell in a separate folder, for behavior that no real plugin shows on
 * demand.
 *
 * @returns the folder, for CNI_PATH; its file `calls` gets a line for each call, `$CNI_COMMAND <stdin>`
 */
export function fakeDelegate(
  script: string,
  { name = 'fake', mode = 0o755 }: { name?: string; mode?: number } = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'podwire-delegate-'));
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\nread -r stdin\necho "$CNI_COMMAND $stdin" >> ${folder}/calls\n${script}\n`);
  chmodSync(path, mode);
  return folder;
}
