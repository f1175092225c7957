import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { applyManifest, readManifest, readTemplate } from '../servers/manifest.ts';
import { NODE } from '../installer/install-cluster.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import type { KubeletNode } from './kubelet-node.ts';
import { phaseOf, type RunPod } from './pods.ts';
import type { NodeRuntime } from './runtime.ts';
import { memberText, member } from '../../lab/member.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const MANIFEST = 'cni-conf/rendered/podcidr-routes.yaml';
const IMAGE = 'localhost/podwire';
const PODS = '/api/v1/namespaces/kube-system/pods';
const POD = 'podwire-node';

/** The image from `npm run build:image`. */
const IMAGE_ARCHIVE = join(REPOSITORY, 'dist/podwire-image.tar');

/** The pod of podwire's DaemonSet. The test creates it, because there is no controller. */
export interface DaemonSetPod {
  readonly name: string;
  pod(): RunPod;
  /** The log of the init container. */
  installerLog(): Promise<string>;
  /** The log of the container that renews the token. */
  tokenLog(): Promise<string>;
  /** Deletes the pod and creates it again, as a rollout does, with another manifest if one is given. */
  replace(changed?: readonly JsonObject[]): Promise<void>;
}

/** What a test changes in the manifest. */
interface DaemonSetOptions {
  /** The template of the network configuration. */
  readonly template?: string;
  /** Variables of both containers, in place of those of the manifest. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The limit of the readiness probe, which then runs every second. By default it is that of the manifest. */
  readonly renewalLimitSeconds?: number;
}

/** Applies the manifest, and waits until the kubelet has run the pod's init container. */
export async function applyDaemonSet(
  { cluster, runtime, pods }: KubeletNode,
  { template = readTemplate('base'), environment: variables = {}, renewalLimitSeconds }: DaemonSetOptions = {},
): Promise<DaemonSetPod> {
  const { admin } = cluster;
  const image = await importPodwireImage(runtime);
  await publishAuthority(cluster);
  // The last variable of a name counts.
  const environment = [
    ...serverEnvironment(cluster),
    ...Object.entries({ TOKEN_CHECK_SECONDS: '1', IP_FAMILIES: 'ipv4,ipv6', ...variables }).map(([name, value]) => ({
      name,
      value,
    })),
  ];
  const adapt = (containers: unknown) =>
    (Array.isArray(containers) ? containers : []).filter(isJsonObject).map((container) => ({
      ...container,
      image,
      imagePullPolicy: 'Never',
      ...(renewalLimitSeconds !== undefined && quickProbe(container['readinessProbe'], renewalLimitSeconds)),
      env: [...(Array.isArray(container['env']) ? container['env'] : []), ...environment],
    }));
  const runtimeVolume = { name: 'runtime', hostPath: { path: dirname(runtime.endpoint.replace('unix://', '')) } };
  const place = async (manifest: readonly JsonObject[]) => {
    const objects = manifest.map((object) =>
      object['kind'] === 'ConfigMap' ? { ...object, data: { '10-podwire.conflist': template } } : object,
    );
    await applyManifest(admin, objects, 'keep');
    const daemonSet = objects.find((object) => member(object, 'kind') === 'DaemonSet');
    const spec = member(daemonSet, 'spec', 'template', 'spec');
    if (!isJsonObject(spec)) throw new Error('the manifest has no DaemonSet');
    const volumes: readonly unknown[] = Array.isArray(spec['volumes']) ? spec['volumes'] : [];
    await admin.create(PODS, {
      metadata: { name: POD, labels: member(daemonSet, 'spec', 'template', 'metadata', 'labels') },
      spec: {
        ...spec,
        nodeName: NODE,
        volumes: volumes.map((volume) => (member(volume, 'name') === 'runtime' ? runtimeVolume : volume)),
        initContainers: adapt(spec['initContainers']),
        containers: adapt(spec['containers']),
      },
    });
    const pod = pods.at(`${PODS}/${POD}`);
    const running = await pod.until('runs', (state) => phaseOf(state) === 'Running');
    return { pod, uid: memberText(running['metadata'], 'uid') };
  };
  let manifest = readManifest(MANIFEST);
  let placed = await place(manifest);
  const log = (container: string) =>
    readFile(`/var/log/pods/kube-system_${POD}_${placed.uid}/${container}/0.log`, 'utf8');
  return {
    name: POD,
    pod: () => placed.pod,
    installerLog: () => log('install'),
    tokenLog: () => log('token'),
    async replace(changed = manifest) {
      manifest = changed;
      await placed.pod.delete();
      placed = await place(manifest);
    },
  };
}

/** The probe of the manifest, which reads its limit from the last word of its command. */
function quickProbe(probe: unknown, limitSeconds: number): JsonObject {
  const words: unknown = member(probe, 'exec', 'command');
  if (!isJsonObject(probe) || !Array.isArray(words)) return {};
  const command = [...words.slice(0, -1).map(String), String(limitSeconds)];
  return {
    readinessProbe: { ...probe, exec: { command }, initialDelaySeconds: 0, periodSeconds: 1, failureThreshold: 1 },
  };
}

/**
 * Imports the image from `npm run build:image`.
 *
 * @returns its name
 */
export async function importPodwireImage(runtime: NodeRuntime): Promise<string> {
  if (!existsSync(IMAGE_ARCHIVE)) throw new Error(`${IMAGE_ARCHIVE} is missing: npm run build:image`);
  await runtime.importImage(IMAGE_ARCHIVE);
  const images = (await runtime.ctr('images', 'list', '-q')).split('\n');
  const image = images.find((name) => name.startsWith(`${IMAGE}:`));
  if (image === undefined) throw new Error(`${IMAGE} is not among ${images.join(' ')}`);
  return image;
}

/** Creates what a controller would create in each namespace, and the kubelet mounts into pods. */
export async function publishAuthority({ admin, certificateAuthorityPem }: Cluster): Promise<void> {
  const metadata = { name: 'kube-root-ca.crt', namespace: 'kube-system' };
  const data = { 'ca.crt': certificateAuthorityPem };
  await applyManifest(admin, [{ apiVersion: 'v1', kind: 'ConfigMap', metadata, data }], 'keep');
}

/** The API server's own address, because there is no kube-proxy that translates the Service's. */
export function serverEnvironment({ server }: Cluster): readonly JsonObject[] {
  const { hostname, port } = new URL(server);
  return [
    { name: 'KUBERNETES_SERVICE_HOST', value: hostname },
    { name: 'KUBERNETES_SERVICE_PORT', value: port },
  ];
}
