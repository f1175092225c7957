// The part of npm run docs:observability that runs in a private network namespace.
//   node scripts/observability/inside.ts REPOSITORY
import { readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { freePorts } from '../../test/lab/api-server/server-process.ts';
import { untilAllowed } from '../../test/lab/api-server/access-review.ts';
import { startDoctorNode, type DoctorNode } from '../../test/lab/doctor-node/doctor-node.ts';
import { startExecutable } from '../../test/lab/run-executable.ts';
import { until } from '../../test/lab/until.ts';
import { OBSERVABILITY_PAGE, withExamples } from './observability-page.ts';

const [, , repository = ''] = process.argv;
/** An attribute, which takes six lines. */
const ATTRIBUTE = /\{\s+"key": ("[^"]+"),\s+"value": \{\s+("\w+": [^\n]+)\s+\}\s+\}/g;
await using node = await startDoctorNode();
const tracePath = join(node.folder, 'log/traces.jsonl');

const [port = 0] = await freePorts('127.0.0.1', 1);
const watching = startExecutable({
  args: ['install', '--watch', '--root', '/'],
  environment: {
    KUBECONFIG: node.adminKubeconfigPath,
    KUBERNETES_NODE_NAME: node.name,
    CNI_NET_DIR: node.configs,
    METRICS_ADDRESS: `127.0.0.1:${port}`,
  },
});
const scrape = async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
await until('the token is checked', async () => (await scrape().catch(() => '')).includes('podwire_renewer_ready 1'));

await node.install({ trace_file: tracePath, log_format: 'json' });
// The first ADD after a boot does more than others.
for (const name of ['first', 'web', 'api']) await node.attach(name);
const add = await podwire('trace', tracePath);
await podwire('trace', tracePath, '--svg', join(repository, 'docs/observability/trace-add.svg'));
const [line = ''] = (await readFile(tracePath, 'utf8')).trimEnd().split('\n').toReversed();

await allowEvents(node);
const refusedPod = await node.attach('mac', { 'cni.projectcalico.org/hwAddr': 'no-mac' });
const [refused = ''] = (await readFile(node.logPath, 'utf8')).trimEnd().split('\n').toReversed();
const [succeeded = ''] = (await readFile(node.logPath, 'utf8')).split('\n').filter((entry) => entry.includes('/web'));
await node.install({ trace_file: tracePath });
await refusedPod.retry();
const text = (await readFile(node.logPath, 'utf8')).trimEnd().split('\n').at(-1) ?? '';
const metrics = await scrape();
watching.process.kill('SIGTERM');
await watching.ended;

const examples = {
  metrics: shortened(metrics),
  trace: `$ podwire trace /var/log/podwire/traces.jsonl\n${add}`,
  otlp: JSON.stringify(firstSpan(line), undefined, 2).replaceAll(ATTRIBUTE, '{ "key": $1, "value": { $2 } }'),
  'log-json': `${succeeded}\n${refused}`,
  'log-text': text,
  event: JSON.stringify(await readEvent(), undefined, 2),
};
const page = join(repository, OBSERVABILITY_PAGE);
const shown = Object.fromEntries(Object.entries(examples).map(([name, example]) => [name, asOnNode(example)]));
await writeFile(page, withExamples(await readFile(page, 'utf8'), shown));

async function podwire(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await node.podwire(...args);
  return `${stdout}${stderr}`;
}

async function allowEvents({ cluster: { admin } }: DoctorNode): Promise<void> {
  const path = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: 'podwire-events' };
  const rules = [{ apiGroups: [''], resources: ['events'], verbs: ['create'] }];
  await admin.create(`${path}/clusterroles`, { metadata, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'podwire-events' };
  const subjects = [{ kind: 'ServiceAccount', name: 'podwire', namespace: 'kube-system' }];
  await admin.create(`${path}/clusterrolebindings`, { metadata, roleRef, subjects });
  const user = 'system:serviceaccount:kube-system:podwire';
  await untilAllowed(admin, user, { verb: 'create', resource: 'events', namespace: 'default' });
}

async function readEvent(): Promise<JsonObject> {
  const answer = parseJsonObject(JSON.stringify(await node.cluster.admin.get('/api/v1/namespaces/default/events')));
  const items = answer['items'];
  const event = (isJsonList(items) ? items : []).find(isJsonObject) ?? {};
  const shownKeys = ['type', 'reason', 'message', 'involvedObject', 'source'];
  return Object.fromEntries(Object.entries(event).filter(([key]) => shownKeys.includes(key)));
}

/** Of each histogram only three buckets. */
function shortened(exposition: string): string {
  return exposition
    .split('\n')
    .filter(
      (sample) =>
        !/_bucket\{le="(?!0\.05|0\.1|\+Inf)/.test(sample) && !/command="DEL".*_bucket|_bucket.*"DEL"/.test(sample),
    )
    .join('\n');
}

function firstSpan(otlp: string): JsonObject {
  const first = (parent: JsonObject, key: string): JsonObject => {
    const list = parent[key];
    return (isJsonList(list) ? list : []).find(isJsonObject) ?? {};
  };
  return first(first(first(parseJsonObject(otlp), 'resourceSpans'), 'scopeSpans'), 'spans');
}

function asOnNode(example: string): string {
  return example
    .replaceAll(node.configs, '/etc/cni/net.d')
    .replaceAll(node.programs, '/opt/cni/bin')
    .replaceAll(`"${hostname()}"`, `"${node.name}"`)
    .replaceAll(node.cluster.server, 'https://192.0.2.5:6443')
    .replaceAll(new URL(node.cluster.server).host, '192.0.2.5:6443');
}
