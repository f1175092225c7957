// A separate program, for a private network: it asks podwire for arm64 for its STATUS with two API servers, of which podwire can trust one.
import { join } from 'node:path';
import { startLoopbackApi } from '../../lab/loopback-api/loopback-api.ts';
import { makeCertificateAuthority } from '../../lab/certificates/certificate-authority.ts';
import { runForArm64 } from './run-in-root.ts';

/** How a STATUS ended, and the requests that the API server got. */
export interface StatusOverTls {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly requests: readonly string[];
}

/** @param root the folder with the files of the image */
async function statusesOverTls(root: string): Promise<readonly StatusOverTls[]> {
  const node = { metadata: { name: 'n1' }, spec: { podCIDRs: ['10.71.0.0/24'] } };
  const stranger = makeCertificateAuthority('stranger').certificatePem;
  const clusters = [{}, { cluster: { 'certificate-authority-data': Buffer.from(stranger).toString('base64') } }];
  const statuses: StatusOverTls[] = [];
  for (const [index, { cluster }] of clusters.entries()) {
    await using api = await startLoopbackApi({ nodes: [node], token: 'token' });
    const kubeconfig = `/run/kubeconfig-${index}`; // the private namespace has its own /run
    api.writeKubeconfig(kubeconfig, cluster === undefined ? {} : { cluster: { server: api.url, ...cluster } });
    const netconf = {
      cniVersion: '1.1.0',
      name: `net-${index}`,
      type: 'podwire',
      kubernetes: { kubeconfig, node_name: 'n1' },
      ipam: { type: 'host-local', subnet: 'usePodCidr' },
    };
    const environment = { CNI_COMMAND: 'STATUS', CNI_PATH: join(root, 'opt/cni/bin') };
    const ended = await runForArm64(root, ['/opt/cni/bin/podwire'], { stdin: JSON.stringify(netconf), environment });
    statuses.push({ ...ended, requests: api.requests.map(({ method, path }) => `${method} ${path}`) });
  }
  return statuses;
}

process.stdout.write(JSON.stringify(await statusesOverTls(process.argv[2] ?? '')));
