import { execFile } from 'node:child_process';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kustomize } from '../../build/render-overlay.ts';
import { isJsonObject, type JsonObject } from '../../src/json/json.ts';
import { readTraces } from '../../src/cli/read-trace.ts';
import { freePorts, makeServerProcesses } from '../lab/api-server/server-process.ts';
import { member, memberText } from '../lab/member.ts';
import { ensureTools } from '../lab/tools/ensure-tools.ts';
import { until } from '../lab/until.ts';
import { NODE } from '../support/installer/install-cluster.ts';
import { applyDaemonSet } from '../support/kubelet/daemon-set.ts';
import { startKubeletNode, type KubeletNode } from '../support/kubelet/kubelet-node.ts';
import { phaseOf } from '../support/kubelet/pods.ts';
import { parseManifest, readTemplate } from '../support/servers/manifest.ts';

const CNI_CONF = join(import.meta.dirname, '../../cni-conf');
const TRACES = '/var/log/podwire/traces.jsonl';
const METRICS = 'http://192.0.2.10:9817/metrics';
const PODS = '/api/v1/namespaces/kube-system/pods';

let node: KubeletNode;
beforeAll(async () => {
  node = await startKubeletNode();
  const template = readTemplate('base').replace(
    '"type": "podwire",',
    `"type": "podwire", "log_format": "json", "trace_file": ${JSON.stringify(TRACES)},`,
  );
  await applyDaemonSet(node, { template });
  await startMonitoredPod();
  await node.pods.serve('web');
});
afterAll(() => node[Symbol.asyncDispose]());

/** Runs a second pod of podwire, as the component cni-conf/monitoring makes it, beside that of the test. */
async function startMonitoredPod(): Promise<void> {
  await using folder = await mkdtempDisposable(join(CNI_CONF, '.test-'));
  const parts = {
    resources: [relative(folder.path, join(CNI_CONF, 'overlays/podcidr-routes'))],
    components: [relative(folder.path, join(CNI_CONF, 'monitoring'))],
  };
  await writeFile(join(folder.path, 'kustomization.yaml'), JSON.stringify(parts));
  const objects = parseManifest(await kustomize(folder.path));
  const spec = member(
    objects.find((object) => object['kind'] === 'DaemonSet'),
    'spec',
    'template',
    'spec',
  );
  const first = await node.cluster.admin.get(`${PODS}/podwire-node`);
  const [placed] = objectsIn(member(first, 'spec', 'containers'));
  const [container] = objectsIn(member(spec, 'containers'));
  // The API server's own address is in the environment of the first pod.
  const server = objectsIn(placed?.['env']).filter((variable) =>
    memberText(variable, 'name').startsWith('KUBERNETES_SERVICE_'),
  );
  const token = { ...container, image: placed?.['image'], imagePullPolicy: 'Never' };
  await node.cluster.admin.create(PODS, {
    metadata: { name: 'podwire-monitored' },
    spec: {
      ...(isJsonObject(Object(spec)) ? Object(spec) : {}),
      nodeName: NODE,
      initContainers: [],
      containers: [{ ...token, env: [...objectsIn(container?.['env']), ...server] }],
    },
  });
  await node.pods.at(`${PODS}/podwire-monitored`).until('runs', (state) => phaseOf(state) === 'Running');
  await until('it is ready', async () => (await scrape().catch(() => '')).includes('podwire_renewer_ready 1'));
}

function objectsIn(value: unknown): readonly JsonObject[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  return list.filter((item): item is JsonObject => typeof item === 'object' && item !== null);
}

const scrape = async () => (await fetch(METRICS)).text();

it("a pod's start through containerd has a trace with every part of its ADD", async () => {
  const traces = readTraces(await readFile(TRACES, 'utf8'));
  const add = traces.find(({ spans }) =>
    spans.some(({ name, attributes }) => name === 'podwire ADD' && attributes.get('k8s.pod.name') === 'web'),
  );
  expect(add?.spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'request',
      'GET nodes',
      'ipam ADD',
      'link',
      'addresses and routes',
      'endpoint',
      'PATCH pods/status',
    ]),
  );
  const { stdout } = await promisify(execFile)('/opt/cni/bin/podwire', ['trace', TRACES, '--id', add?.traceId ?? '']);
  expect(stdout).toMatch(/^ADD of default\/web, [\d.]+ ms\n/);
});

describe('the metrics of the DaemonSet with its component', () => {
  it('count what containerd has called, and the leases of its pods', async () => {
    const text = await scrape();
    const valueOf = (series: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(`${series} `))
          ?.slice(series.length) ?? Number.NaN,
      );
    expect(valueOf('podwire_operations_total{command="ADD",code="0"}')).toBeGreaterThanOrEqual(1);
    // Of all that is below this folder, only this is writable in the container.
    expect(JSON.parse(await readFile('/var/lib/podwire/metrics/position', 'utf8'))).toMatchObject({
      offset: expect.any(Number),
    });
    for (const family of ['ipv4', 'ipv6']) {
      const labels = `network="k8s-pod-network",family="${family}"`;
      expect(valueOf(`podwire_leases{${labels},state="attached"}`)).toBe(1);
      expect(valueOf(`podwire_range_capacity{${labels}}`)).toBeGreaterThanOrEqual(253);
    }
  });

  it('are scraped by a real Prometheus', async () => {
    const { prometheus } = await ensureTools(['prometheus']);
    await using servers = await makeServerProcesses('podwire-prometheus-');
    const [port = 0] = await freePorts('127.0.0.1', 1);
    const configPath = join(servers.folder, 'prometheus.yml');
    const config = {
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'podwire', static_configs: [{ targets: [new URL(METRICS).host] }] }],
    };
    await writeFile(configPath, JSON.stringify(config));
    await servers.start('prometheus', prometheus, [
      `--config.file=${configPath}`,
      `--storage.tsdb.path=${join(servers.folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const query = encodeURIComponent('podwire_operations_total{command="ADD",code="0"} >= 1');
    const results = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${query}`).catch(() => undefined);
      return answer?.ok === true ? objectsIn(member(await answer.json(), 'data', 'result')) : []; // 503 while it starts
    };
    const { failure } = servers;
    await until('a scrape', async () => (await results()).length > 0, { deadlineMs: 60_000, failure });
    expect(await results()).toHaveLength(1);
  });
});

it('the log has a JSON object in each line', async () => {
  const filter = 'select(.command == "ADD" and .code == 0) | .pod';
  const { stdout } = await promisify(execFile)('jq', ['-r', filter, '/var/log/podwire/cni.log']);
  expect(stdout.split('\n')).toContain('default/web');
});
