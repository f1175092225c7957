import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../../src/json/json.ts';
import { applyManifest, readManifest, readTemplate } from '../servers/manifest.ts';
import { NODE } from '../installer/install-cluster.ts';
import type { KubeletNode } from './kubelet-node.ts';
import { phaseOf } from './pods.ts';
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
  /** The log of the init container. */
  installerLog(): Promise<string>;
  /** The log of the container that renews the token. */
  tokenLog(): Promise<string>;
  /** Deletes the pod and creates it again, as a rollout does, with another manifest if one is given. */
  replace(changed?: readonly JsonObject[]): Promise<void>;
}

/**
 * Applies the manifest, and waits until the kubelet has run the pod's init container.
 *
 * @param template of the network configuration
 * @param variables more variables of both containers
 */
export async function applyDaemonSet(
  { cluster, runtime, pods }: KubeletNode,
  template = readTemplate('base'),
  variables: readonly JsonObject[] = [],
): Promise<DaemonSetPod> {
  const { admin, server, certificateAuthorityPem } = cluster;
  if (!existsSync(IMAGE_ARCHIVE)) throw new Error(`${IMAGE_ARCHIVE} is missing: npm run build:image`);
  await runtime.importImage(IMAGE_ARCHIVE);
  const images = (await runtime.ctr('images', 'list', '-q')).split('\n');
  const image = images.find((name) => name.startsWith(`${IMAGE}:`));
  if (image === undefined) throw new Error(`${IMAGE} is not among ${images.join(' ')}`);
  // A controller would create this.
  await admin.create('/api/v1/namespaces/kube-system/configmaps', {
    metadata: { name: 'kube-root-ca.crt' },
    data: { 'ca.crt': certificateAuthorityPem },
  });
  // The API server's own address, because there is no kube-proxy that translates the Service's.
  const { hostname, port } = new URL(server);
  const environment = [
    { name: 'KUBERNETES_SERVICE_HOST', value: hostname },
    { name: 'KUBERNETES_SERVICE_PORT', value: port },
    { name: 'TOKEN_CHECK_SECONDS', value: '1' },
    { name: 'IP_FAMILIES', value: 'ipv4,ipv6' },
    ...variables,
  ];
  const adapt = (containers: unknown) =>
    (Array.isArray(containers) ? containers : []).filter(isJsonObject).map((container) => ({
      ...container,
      image,
      imagePullPolicy: 'Never',
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
    installerLog: () => log('install'),
    tokenLog: () => log('token'),
    async replace(changed = manifest) {
      manifest = changed;
      await placed.pod.delete();
      placed = await place(manifest);
    },
  };
}
