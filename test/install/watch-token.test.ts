import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseInstallSettings } from '../../src/install/settings.ts';
import { watchToken } from '../../src/install/watch-token.ts';
import { makeKubeconfig } from '../lab/api-server/kubeconfig.ts';
import { until } from '../lab/until.ts';
import { startTokenServer } from '../support/servers/token-server.ts';
import { openLibcLoader } from '../../src/system/libc.ts';
import { makeFolder } from './make-folder.ts';

it('runs until the signal, then keeps what it has written', async () => {
  using folder = makeFolder();
  await using server = await startTokenServer(60_000);
  const configs = join(folder.path, 'etc/cni/net.d');
  mkdirSync(configs, { recursive: true });
  const KUBECONFIG = join(folder.path, 'kubeconfig');
  writeFileSync(
    KUBECONFIG,
    JSON.stringify(makeKubeconfig(server.url, server.certificateAuthorityPem, { token: 'mine' })),
  );
  const environment = { KUBECONFIG, KUBERNETES_NODE_NAME: 'node-1' };
  const lines: string[] = [];
  const note = (line: string) => void lines.push(line);
  const stop = new AbortController();
  const io = {
    environment,
    log: { debug: note, info: note, warning: note, error: note },
    signal: stop.signal,
    libc: openLibcLoader(),
  };
  const watching = watchToken(parseInstallSettings(['--watch', '--root', folder.path], environment), 3600, io);
  await until('the kubeconfig is written', () => lines.some((line) => line.endsWith('podwire-kubeconfig: written')));
  stop.abort();
  await watching;
  expect(readFileSync(join(configs, 'podwire-kubeconfig'), 'utf8')).toContain('token-1');
  expect(lines.at(-1)).toContain('stopping: ');
});
