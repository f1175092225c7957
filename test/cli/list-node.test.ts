import { expect, it } from 'vitest';
import { listAttachments, listLeases } from '../../src/cli/list-node.ts';
import type { GetOptions } from '../../src/cli/listing.ts';
import { cliIo } from '../support/commands/cli-io.ts';

const OPTIONS: GetOptions = {
  output: 'table',
  namespace: undefined,
  showsNamespace: true,
  node: undefined,
  kubeconfig: undefined,
  context: undefined,
  timeoutSeconds: 1,
};
const { io } = cliIo({ environment: { CNI_NET_DIR: '/none' } });

it.each([listAttachments, listLeases])(
  'on a machine without podwire %o says where to run it',
  async (list) => await expect(list(OPTIONS, io)).rejects.toThrow('run this on a node, or in its podwire pod'),
);
