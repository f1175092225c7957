import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findChosenPod } from '../../../scripts/demo/chosen-pod.ts';
import { makeFolder } from '../../install/make-folder.ts';

const find = (kubeconfigPath: string) =>
  findChosenPod({
    kind: 'user-cluster',
    kubeconfigPath,
    pod: { namespace: 'a', name: 'b' },
    nodeName: undefined,
    mayOverwrite: false,
  });

it('a kubeconfig that is missing is called by its option, not by a key of the network configuration', async () =>
  expect(find('/nowhere')).rejects.toThrow(/^--kubeconfig \/nowhere cannot be read: check its path and permissions$/));

it('neither is one that is not a kubeconfig', async () => {
  using folder = makeFolder();
  const path = join(folder.path, 'kubeconfig');
  writeFileSync(path, '[]');
  const error: unknown = await find(path).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain('--kubeconfig');
  expect(String(error)).not.toContain('kubernetes.kubeconfig');
});
