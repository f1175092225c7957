import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, omitMembers, parseJsonObject, type JsonObject } from '../../src/json/json.ts';
import { hostNamespace, makeSandbox, type NetworkNamespace } from '../lab/namespaces/network-namespace.ts';
import { memberText } from '../lab/member.ts';
import { startApiServerNode, type ApiServerNode } from '../support/nodes/api-server-node.ts';

// A recording of what Calico's own plugin creates for the same network configurations: a cluster that changes plugins
// must not see a difference.
const RECORDED: Readonly<Record<string, Recorded>> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'recorded-attachments.json'), 'utf8'),
);

interface Recorded {
  readonly netconf: JsonObject;
  readonly result: JsonObject;
  readonly podAnnotationsBefore: Readonly<Record<string, string>>;
  readonly podAnnotationsAfterAdd: Readonly<Record<string, string>>;
  readonly podAnnotationsAfterDel: Readonly<Record<string, string>>;
  readonly host: Observed & { readonly sysctl4: Sysctls; readonly sysctl6: Sysctls; readonly neigh4: Sysctls };
  readonly sandbox: Observed & { readonly sysctl: Sysctls };
}
type Sysctls = Readonly<Record<string, string>>;
interface Observed {
  readonly address: readonly unknown[];
  readonly link: readonly unknown[];
  readonly route4: readonly unknown[];
  readonly route6: readonly unknown[];
}

const HOST_INTERFACE = 'cali54a674feafd';
const POD = { namespace: 'default', name: 'rec' };

describe('an attachment equals the recorded one', () => {
  let node: ApiServerNode;
  beforeAll(async () => {
    node = await startApiServerNode({ name: 'rec-node' });
    // The agent, beside which podwire leaves what Calico's plugin leaves.
    await mkdir('/var/lib/calico', { recursive: true });
    await writeFile('/var/lib/calico/nodename', node.name);
  });
  afterAll(async () => {
    await rm('/var/lib/calico', { recursive: true });
    await node[Symbol.asyncDispose]();
  });

  it.each(Object.entries(RECORDED))('%s', async (_, recorded) => {
    const { uid } = await node.cluster.createPod(POD.namespace, POD.name, {
      nodeName: node.name,
      annotations: recorded.podAnnotationsBefore,
    });
    await using sandbox = await makeSandbox();
    const before = await node.state();
    const config = parseJsonObject(
      JSON.stringify(recorded.netconf)
        .replace('"DATADIR"', JSON.stringify(node.dataDir))
        .replace('"KUBECONFIG"', JSON.stringify(node.kubeconfigPath)),
    );
    const call = { config, sandboxPath: sandbox.path, containerId: 'rec0', pod: { ...POD, uid } };

    const added = await node.run({ ...call, verb: 'ADD' });
    expect(added).toMatchObject({ exitCode: 0, stderr: '' });
    const [v4, v6] = addressesOf(added.answer);
    const names = [
      [sandbox.path, '/var/run/netns/rec'],
      [v4, '10.71.0.2'],
      [v6, 'fd71::2'],
    ] as const;
    const asRecorded = (value: unknown) =>
      parseJsonObject(
        names.reduce(
          (text, [ours, theirs]) => (ours === undefined ? text : text.replaceAll(ours, theirs)),
          JSON.stringify(value),
        ),
      );

    expect(comparableResult(asRecorded(added.answer))).toEqual(comparableResult(recorded.result));
    const host = hostNamespace();
    expect(asRecorded(await observe(host, HOST_INTERFACE))).toEqual(comparable(recorded.host, HOST_INTERFACE));
    expect(asRecorded(await observe(sandbox, 'eth0'))).toEqual(comparable(recorded.sandbox, 'eth0'));
    const families = { v4: v4 !== undefined, v6: v6 !== undefined };
    expect(await readSysctls(host, Object.keys(hostSysctls(recorded, families)))).toEqual(
      hostSysctls(recorded, families),
    );
    expect(await readSysctls(sandbox, Object.keys(sandboxSysctls(recorded, families)))).toEqual(
      sandboxSysctls(recorded, families),
    );
    expect(asRecorded(await endpointAnnotations(node))).toEqual(recorded.podAnnotationsAfterAdd);

    expect(await node.run({ ...call, verb: 'DEL' })).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await endpointAnnotations(node)).toEqual(recorded.podAnnotationsAfterDel);
    expect(await node.state()).toEqual(before);
    await node.cluster.admin.delete(`/api/v1/namespaces/${POD.namespace}/pods/${POD.name}?gracePeriodSeconds=0`);
  });
});

function addressesOf(result: JsonObject | undefined): readonly (string | undefined)[] {
  const addresses = objects(result?.['ips']).map((ip) => memberText(ip, 'address').replace(/\/.*/, ''));
  return [addresses.find((text) => !text.includes(':')), addresses.find((text) => text.includes(':'))];
}

// MACs are random, and the result's `mtu` and host `mac` depend on the requested version.
function comparableResult(result: JsonObject): JsonObject {
  const interfaces = objects(result['interfaces']).map((link) => omitMembers(link, ['mac', 'mtu']));
  return { ...omitMembers(result, ['dns']), interfaces };
}

async function observe(namespace: NetworkNamespace, name: string): Promise<JsonObject> {
  const found = {
    address: await namespace.ip('address', 'show', 'dev', name),
    link: await namespace.ip('-details', 'link', 'show', 'dev', name),
    route4: await namespace.ip('-4', 'route', 'show', 'dev', name),
    route6: await namespace.ip('-6', 'route', 'show', 'dev', name),
  };
  return comparable(found, name);
}

function comparable({ address, link, route4, route6 }: Observed, name: string): JsonObject {
  const isHost = name === HOST_INTERFACE;
  return {
    address: objects(address).map((found) => ({
      ...pickAll(found, isHost ? ['mtu', 'flags', 'address'] : ['mtu', 'flags']),
      addresses: objects(found['addr_info'])
        .filter(({ scope }) => isHost || scope !== 'link')
        .map((one) => pickAll(one, ['family', 'local', 'prefixlen', 'scope'])),
    })),
    link: objects(link).map((found) => ({
      ...pickAll(found, ['ifname', 'mtu', 'inet6_addr_gen_mode']),
      kind: isJsonObject(found['linkinfo']) ? memberText(found['linkinfo'], 'info_kind') : '',
    })),
    route4: comparableRoutes(route4),
    route6: comparableRoutes(route6),
  };
}

// `ip route show dev` leaves out the device, and prints no flags that are empty.
function comparableRoutes(routes: readonly unknown[]): readonly JsonObject[] {
  return objects(routes)
    .map((route) => omitMembers(route, ['dev', 'flags']))
    .toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

function objects(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

function pickAll(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, object[name] ?? null]));
}

interface FamiliesOfPod {
  readonly v4: boolean;
  readonly v6: boolean;
}

// Settings that Calico does not write have the defaults of the machine, which can differ.
function hostSysctls({ host }: Recorded, { v4, v6 }: FamiliesOfPod): Sysctls {
  const paths = (folder: string, values: Sysctls) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [`net/${folder}/${HOST_INTERFACE}/${key}`, value]));
  const sysctl4 = Object.fromEntries(
    Object.entries(host.sysctl4).filter(([key]) => key !== 'rp_filter' && key !== 'accept_local'),
  );
  const { accept_ra, ...sysctl6 } = host.sysctl6;
  return {
    ...paths('ipv6/conf', { accept_ra: accept_ra ?? '' }),
    ...(v4 && { ...paths('ipv4/conf', sysctl4), ...paths('ipv4/neigh', host.neigh4) }),
    ...(v6 && paths('ipv6/conf', sysctl6)),
  };
}

function sandboxSysctls({ sandbox }: Recorded, { v4, v6 }: FamiliesOfPod): Sysctls {
  const { 'net.ipv4.ip_forward': ipForward = '', ...rest } = sandbox.sysctl;
  const entries = Object.entries({ ...rest, ...(v4 && { 'net.ipv4.ip_forward': ipForward }) });
  return Object.fromEntries(
    entries
      .filter(([key]) => v6 || !key.startsWith('net.ipv6'))
      .map(([key, value]) => [key.replaceAll('.', '/'), value]),
  );
}

async function readSysctls(namespace: NetworkNamespace, paths: readonly string[]): Promise<Sysctls> {
  return Object.fromEntries(
    await Promise.all(paths.map(async (path) => [path, await namespace.readSysctl(path)] as const)),
  );
}

async function endpointAnnotations({ cluster }: ApiServerNode): Promise<unknown> {
  const pod = await cluster.admin.get(`/api/v1/namespaces/${POD.namespace}/pods/${POD.name}`);
  const metadata = isJsonObject(pod) ? pod['metadata'] : undefined;
  return isJsonObject(metadata) ? metadata['annotations'] : undefined;
}
