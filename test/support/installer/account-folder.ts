import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assertPrivateNamespace } from '../../lab/namespaces/private-namespace.ts';

/** The files that the kubelet mounts into each pod. */
export interface AccountFiles {
  readonly token: string;
  readonly 'ca.crt': string;
  readonly namespace: string;
}

/** The path where a pod finds its service account, on the private /run of the tests. */
export interface AccountFolder extends Disposable {
  /** Replaces all files at once, by replacing a link, as the kubelet does. */
  write(files: AccountFiles): void;
}

/** The folder of a pod's account, for this process and those that it starts. */
export function makeAccountFolder(files: AccountFiles): AccountFolder {
  assertPrivateNamespace();
  let version = 0;
  const write = (next: AccountFiles) => {
    const folder = `..version-${++version}`;
    const link = join(FOLDER, '..data_tmp');
    mkdirSync(join(FOLDER, folder), { recursive: true });
    for (const [name, text] of Object.entries<string>({ ...next })) writeFileSync(join(FOLDER, folder, name), text);
    symlinkSync(folder, link);
    renameSync(link, join(FOLDER, '..data'));
    rmSync(join(FOLDER, `..version-${version - 1}`), { recursive: true, force: true });
  };
  write(files);
  for (const name of Object.keys(files)) symlinkSync(join('..data', name), join(FOLDER, name));
  return { write, [Symbol.dispose]: () => rmSync(FOLDER, { recursive: true }) };
}

const FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';
