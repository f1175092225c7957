import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts, makeServerProcesses } from '../../lab/api-server/server-process.ts';
import { member } from '../../lab/member.ts';
import { startPlugin } from '../../lab/run-plugin.ts';
import { ensureTools } from '../../lab/tools/ensure-tools.ts';
import { until } from '../../lab/until.ts';
import { makeAccountFolder } from '../../support/installer/account-folder.ts';
import { installerAccount, NODE, startInstallCluster } from '../../support/installer/install-cluster.ts';
import { makeInstallNode, type InstallNode } from '../../support/installer/install-node.ts';

const ALERTS = join(import.meta.dirname, '../../../cni-conf/monitoring/alerts.yaml');

const stack = new AsyncDisposableStack();
let node: InstallNode;
let url = '';
let textfilePath = '';
beforeAll(async () => {
  const cluster = stack.use(await startInstallCluster());
  stack.use(makeAccountFolder(await installerAccount(cluster)));
  node = stack.use(await makeInstallNode(cluster.server, NODE));
  expect(await node.run()).toMatchObject({ exitCode: 0 });
  textfilePath = join(node.root, 'var/lib/node_exporter/podwire.prom');
  mkdirSync(join(textfilePath, '..'), { recursive: true });
  mkdirSync(join(node.root, 'var/lib/cni/networks/k8s-pod-network'), { recursive: true });
  writeFileSync(join(node.root, 'var/lib/cni/networks/k8s-pod-network/10.71.0.2'), 'c1\r\neth0');
});
afterAll(() => stack.disposeAsync());

beforeEach(async () => {
  const [port = 0] = await freePorts('127.0.0.1', 1);
  url = `http://127.0.0.1:${port}/metrics`;
  const watching = node.start({
    args: ['install', '--watch'],
    environment: {
      METRICS_ADDRESS: `127.0.0.1:${port}`,
      METRICS_TEXTFILE: '/var/lib/node_exporter/podwire.prom',
      TOKEN_CHECK_SECONDS: '1',
    },
  });
  await until('the token is checked', async () => (await valueOf('podwire_renewer_ready')) === 1);
  return async () => {
    watching.process.kill('SIGTERM');
    const { exitCode, signal } = await watching.ended;
    expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: null });
  };
});

const scrape = async () => (await fetch(url)).text();

async function valueOf(series: string): Promise<number | undefined> {
  const text = await scrape().catch(() => '');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length));
}

/** Runs STATUS on the node, which fails: the node's kubeconfig is not where it is in a container. */
const fail = () =>
  startPlugin({
    verb: 'STATUS',
    containerId: 'c1',
    interfaceName: 'eth0',
    sandboxPath: '',
    pluginPath: node.programs,
    pod: undefined,
    within: node.within,
    config: {
      cniVersion: '1.1.0',
      name: 'k8s-pod-network',
      type: 'podwire',
      kubernetes: { kubeconfig: '/none' },
      ipam: { type: 'host-local', subnet: 'usePodCidr' },
    },
  }).ended;

describe('the metrics of podwire install --watch', () => {
  it('count the commands that have ended on the node', async () => {
    const { answer } = await fail();
    const series = `podwire_operations_total{command="STATUS",code="${JSON.stringify(answer?.['code'])}"}`;
    expect(await valueOf(series)).toBe(1);
    await fail();
    expect(await valueOf(series)).toBe(2);
    expect(await valueOf('podwire_operation_duration_seconds_count{command="STATUS"}')).toBe(2);
  });

  it('know the token, the leases and the size of the range', async () => {
    const expiresInHours = ((await valueOf('podwire_token_expiry_timestamp_seconds')) ?? 0) / 3600 - Date.now() / 3.6e6;
    expect(Math.round(expiresInHours)).toBe(24);
    expect(await valueOf('podwire_token_renewals_total{result="success"}')).toBe(1);
    expect(await valueOf('podwire_leases{network="k8s-pod-network",family="ipv4",state="unknown"}')).toBe(1);
    expect(await valueOf('podwire_range_capacity{network="k8s-pod-network",family="ipv4"}')).toBe(253);
    expect(await valueOf('podwire_pending_endpoints{network="k8s-pod-network"}')).toBe(0);
  });

  it.each(['over HTTP', 'in the file for node_exporter'])(
    'are what promtool accepts without a remark: %s',
    async (where) => {
      await until('the file', () => existsSync(textfilePath));
      const text = where === 'over HTTP' ? await scrape() : readFileSync(textfilePath, 'utf8');
      expect(text).toContain('podwire_build_info{version=');
      const { promtool } = await ensureTools(['promtool']);
      const checked = promisify(execFile)(promtool, ['check', 'metrics']);
      checked.child.stdin?.end(text);
      expect(await checked).toEqual({ stdout: '', stderr: '' });
    },
  );

  it('are scraped by a real Prometheus, with the alert rules', async () => {
    const { prometheus } = await ensureTools(['prometheus']);
    await using servers = await makeServerProcesses('podwire-prometheus-');
    const [port = 0] = await freePorts('127.0.0.1', 1);
    const config = {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [ALERTS],
      scrape_configs: [{ job_name: 'podwire', static_configs: [{ targets: [new URL(url).host] }] }],
    };
    const configPath = join(servers.folder, 'prometheus.yml');
    writeFileSync(configPath, JSON.stringify(config));
    await servers.start('prometheus', prometheus, [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(servers.folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const ask = async (path: string): Promise<unknown> =>
      (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json();
    const query = async (expression: string) => {
      const answer = await ask(`query?query=${encodeURIComponent(expression)}`).catch(() => undefined);
      const result = member(answer, 'data', 'result');
      const list: readonly unknown[] = Array.isArray(result) ? result : [];
      return list;
    };
    await until('a scrape', async () => (await query('podwire_build_info')).length > 0);
    expect(await query('up{job="podwire"} == 1')).toHaveLength(1);
    expect(await query('podwire_token_expiry_timestamp_seconds - time() > 4 * 3600')).toHaveLength(1);
    expect(await query('podwire_operation_duration_seconds_bucket{command="ADD",le="+Inf"}')).toHaveLength(1);
    const groups = member(await ask('rules'), 'data', 'groups');
    expect(JSON.stringify(groups).match(/"health":"ok"/g)?.length).toBeGreaterThanOrEqual(1);
    expect(JSON.stringify(groups)).not.toContain('"health":"err"');
  });
});
