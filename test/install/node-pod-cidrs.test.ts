import { expect, it } from 'vitest';
import { openNodePodCidrs } from '../../src/install/node-pod-cidrs.ts';

it('are unknown while the API server cannot be asked, and the log says why', async () => {
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const environment = { KUBECONFIG: '/none' };
  const log = { debug: note, info: note, warning: note, error: note };
  const read = openNodePodCidrs('node-1', { environment, log, signal: new AbortController().signal });
  expect(await read()).toEqual([]);
  expect(lines).toEqual([expect.stringContaining('the metrics do not know the podCIDRs: ')]);
});
