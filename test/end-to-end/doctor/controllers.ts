import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { createInterface } from 'node:readline';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';
import type { DoctorNode } from '../../lab/doctor-node/doctor-node.ts';
import { listenOnLoopback } from '../../lab/doctor-node/listen.ts';
import { applyManifest, readManifest } from '../../support/servers/manifest.ts';

const OWN_POD = 'podwire-7xk2f';
const EVENT = '{.metadata.namespace}/{.metadata.name} {.metadata.deletionTimestamp}{"\\n"}';

/**
 * Does what the kubelet and the controller of DaemonSets do when a pod of the node is deleted: a pod is detached and
 * removed, and for the pod of podwire there is a new one, which installs podwire again. The watch is that of kubectl.
 */
export async function startControllers(
  node: DoctorNode,
  { kubectl, env }: { readonly kubectl: string; readonly env: Readonly<Record<string, string>> },
): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const { admin } = node.cluster;
  const kubelet = createServer(selfSigned(), (_request, response) => response.end('INFO the log of the renewer\n'));
  const port = await listenOnLoopback(kubelet);
  started.defer(() => {
    kubelet.closeAllConnections();
    kubelet.close();
  });
  const placeOwnPod = async () => {
    const status = {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    };
    await admin.patch(`/api/v1/nodes/${node.name}/status`, { status });
    await admin.create('/api/v1/namespaces/kube-system/pods', {
      metadata: { name: OWN_POD, labels: { 'app.kubernetes.io/name': 'podwire' } },
      spec: { nodeName: node.name, containers: [{ name: 'token', image: 'podwire' }] },
    });
  };
  const daemonSets = readManifest('cni-conf/rendered/podcidr-routes.yaml').filter(({ kind }) => kind === 'DaemonSet');
  await applyManifest(admin, daemonSets, 'keep');
  await admin
    .create('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'default' } })
    .catch(() => undefined);
  await placeOwnPod();
  const remove = async (path: string) => {
    const [namespace = '', name = ''] = path.split('/');
    if (name !== OWN_POD) {
      await node.pods.find((pod) => pod.name === name)?.remove();
      return;
    }
    await admin.delete(`/api/v1/namespaces/${namespace}/pods/${name}?gracePeriodSeconds=0`);
    await node.install();
    await placeOwnPod();
  };
  const watch = spawn(kubectl, ['get', 'pods', '-A', '--watch', '-o', `jsonpath=${EVENT}`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const watched = watchDeleted(createInterface(watch.stdout), remove);
  started.defer(async () => {
    watch.kill();
    await once(watch, 'exit');
    await watched;
  });
  const running = started.move();
  return { [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Removes each pod whose deletion has begun, once. */
async function watchDeleted(lines: AsyncIterable<string>, remove: (path: string) => Promise<void>): Promise<void> {
  const begun = new Set<string>();
  for await (const line of lines) {
    const [path = '', time = ''] = line.split(' ');
    const deletion = `${path} ${time}`;
    if (time === '' || begun.has(deletion)) continue;
    begun.add(deletion);
    await remove(path);
  }
}

function selfSigned(): { readonly cert: string; readonly key: string } {
  const authority = makeCertificateAuthority('kubelet');
  const issued = authority.issue({ commonName: 'kubelet', subjectAlternativeNames: ['127.0.0.1'] });
  return { cert: issued.certificatePem, key: issued.keyPem };
}
