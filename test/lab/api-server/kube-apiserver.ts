import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import { until } from '../until.ts';
import { ensureTools } from '../tools/ensure-tools.ts';
import type { OnToolProgress } from '../tools/tool-progress.ts';
import { type ApiClient, makeApiClient } from './api-client.ts';
import { type CertificateRequest, makeCertificateAuthority } from '../certificates/certificate-authority.ts';
import { type ClusterObjects, makeClusterObjects } from './cluster-objects.ts';
import { type Kubeconfig, makeKubeconfig } from './kubeconfig.ts';
import {
  AUDIT_POLICY,
  type AuditedRequest,
  type AuditMark,
  readAuditedRequests,
  readAuditMark,
} from './request-audit.ts';
import { freePorts, makeServerProcesses, type ServerProcesses } from './server-process.ts';

export interface ClusterOptions {
  /** Where the API server listens; 127.0.0.1 by default, which needs `lo` up. */
  readonly listenAddress?: string;
  /**
   * Whether pods use it by the Service `kubernetes`, which then leads to its address.
   */
  readonly isForPods?: boolean;
  readonly onToolProgress?: OnToolProgress;
}

/** A real API server with its etcd, and without scheduler, controllers and kubelet. */
export interface Cluster extends AsyncDisposable, ClusterObjects {
  /** `https://<address>:<port>` */
  readonly server: string;
  readonly certificateAuthorityPem: string;
  /** Sends requests as a member of system:masters. The audit log leaves them out. */
  readonly admin: ApiClient;
  /** A kubeconfig of a user with a client certificate; the organizations are the user's groups. */
  kubeconfigWithClientCertificate(request: CertificateRequest): Kubeconfig;
  /** The requests that the user has made. For `''`, those that were rejected with 401. */
  requestsBy(userName: string, since?: AuditMark): Promise<readonly AuditedRequest[]>;
  /** Signs a token with the key of the API server: the claims of a valid token of a service account, with these changes. */
  signToken(token: string, changes: Readonly<Record<string, number>>): string;
  /** The present moment, for `requestsBy`. */
  auditMark(): Promise<AuditMark>;
}

/**
 * Starts etcd and kube-apiserver on free ports with an empty store, and waits until it is ready.
 *
 * @throws {Error} with the end of the servers' logs, if they do not start
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { listenAddress = '127.0.0.1', isForPods = false, onToolProgress } = options;
  const programs = await ensureTools(['etcd', 'kube-apiserver'], onToolProgress);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnFreePorts(programs, { listenAddress, isForPods });
    } catch (error) {
      // Another program may take a port after it was found free and before the server listens on it.
      if (attempt === 3 || !/address already in use/.test(String(error))) throw error;
    }
  }
}

/** The address of the Service `kubernetes`, the first of the range. */
const SERVICE_ADDRESS = '10.96.0.1';
const READY_DEADLINE_MS = 60_000;
const FILES = {
  auditLog: 'audit.log',
  auditPolicy: 'audit-policy.json',
  authority: 'ca.crt',
  serverCertificate: 'server.crt',
  serverKey: 'server.key',
  accountPublicKey: 'service-account.pub',
  accountKey: 'service-account.key',
} as const;

async function startOnFreePorts(
  programs: Record<'etcd' | 'kube-apiserver', string>,
  { listenAddress, isForPods }: Required<Pick<ClusterOptions, 'listenAddress' | 'isForPods'>>,
): Promise<Cluster> {
  await using started = new AsyncDisposableStack();
  const processes = started.use(await makeServerProcesses('podwire-cluster-'));
  const file = (name: keyof typeof FILES) => join(processes.folder, FILES[name]);
  const authority = makeCertificateAuthority('podwire test authority');
  const administrator = authority.issue({ commonName: 'admin', organizations: ['system:masters'] });
  const serving = authority.issue({
    commonName: 'kube-apiserver',
    subjectAlternativeNames: [
      listenAddress,
      SERVICE_ADDRESS,
      'localhost',
      'kubernetes.default',
      'kubernetes.default.svc',
    ],
  });
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const write = (name: keyof typeof FILES, text: string | Buffer) => writeFile(file(name), text, { mode: 0o600 });
  await Promise.all([
    write('auditPolicy', JSON.stringify(AUDIT_POLICY)),
    write('authority', authority.certificatePem),
    write('serverCertificate', serving.certificatePem),
    write('serverKey', serving.keyPem),
    write('accountPublicKey', account.publicKey.export({ format: 'pem', type: 'spki' })),
    write('accountKey', account.privateKey.export({ format: 'pem', type: 'pkcs8' })),
  ]);

  const [clientPort, peerPort, apiPort] = await freePorts(listenAddress, 3);
  const host = isIPv6(listenAddress) ? `[${listenAddress}]` : listenAddress;
  const etcdUrl = `http://${host}:${clientPort}`;
  const peerUrl = `http://${host}:${peerPort}`;
  const server = `https://${host}:${apiPort}`;
  await processes.start('etcd', programs.etcd, etcdArguments(processes.folder, etcdUrl, peerUrl));
  await processes.start('kube-apiserver', programs['kube-apiserver'], [
    `--etcd-servers=${etcdUrl}`,
    `--bind-address=${listenAddress}`,
    `--secure-port=${apiPort}`,
    `--audit-log-path=${file('auditLog')}`,
    `--audit-policy-file=${file('auditPolicy')}`,
    `--client-ca-file=${file('authority')}`,
    `--tls-cert-file=${file('serverCertificate')}`,
    `--tls-private-key-file=${file('serverKey')}`,
    `--service-account-key-file=${file('accountPublicKey')}`,
    `--service-account-signing-key-file=${file('accountKey')}`,
    ...apiServerArguments(listenAddress),
    ...(isForPods ? [] : ['--endpoint-reconciler-type=none']),
  ]);

  const admin = started.use(
    makeApiClient(server, { certificateAuthority: authority.certificatePem, ...administrator }),
  );
  await ready(admin, processes);
  const objects = makeClusterObjects({ admin, server, certificateAuthorityPem: authority.certificatePem });
  const running = started.move();
  return {
    ...objects,
    server,
    certificateAuthorityPem: authority.certificatePem,
    admin,
    kubeconfigWithClientCertificate: (request) =>
      makeKubeconfig(server, authority.certificatePem, authority.issue(request)),
    requestsBy: (userName, since) => readAuditedRequests(file('auditLog'), userName, since),
    signToken: (token, changes) => signToken(token, changes, account.privateKey),
    auditMark: () => readAuditMark(file('auditLog')),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

// RFC 7515, and RFC 7518 section 3.4 for ES256: the two numbers of the signature without their structure.
function signToken(token: string, changes: Readonly<Record<string, number>>, key: KeyObject): string {
  const [header = '', payload = ''] = token.split('.');
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const changed = { ...(typeof claims === 'object' && claims), ...changes };
  const body = `${header}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
  const signature = sign('sha256', Buffer.from(body), { key, dsaEncoding: 'ieee-p1363' });
  return `${body}.${signature.toString('base64url')}`;
}

function etcdArguments(folder: string, url: string, peerUrl: string): readonly string[] {
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=default=${peerUrl}`,
    '--unsafe-no-fsync',
    // A single member elects itself when the election times out, by default after a second.
    '--heartbeat-interval=10',
    '--election-timeout=100',
  ];
}

function apiServerArguments(listenAddress: string): readonly string[] {
  return [
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${isIPv6(listenAddress) ? 'fd00:10:96::/112' : '10.96.0.0/16'}`,
    '--allow-privileged=true',
    // Without an address the server looks for a default route, which a private namespace may not have.
    `--advertise-address=${listenAddress}`,
    '--kubelet-preferred-address-types=InternalIP',
    // The log is written before a request is processed and before it is answered, as request-audit.ts needs it.
    '--audit-log-mode=blocking',
  ];
}

async function ready(admin: ApiClient, processes: ServerProcesses): Promise<void> {
  let last: unknown;
  const answers = () =>
    admin
      .get('/readyz')
      // It makes the namespace after it has become ready.
      .then(() => admin.get('/api/v1/namespaces/kube-system'))
      .then(
        () => true,
        (error: unknown) => {
          last = error;
          return false;
        },
      );
  const explain = async () => `${String(last)}\n${await processes.readLogs()}`;
  await until('kube-apiserver is ready', answers, {
    deadlineMs: READY_DEADLINE_MS,
    failure: processes.failure,
    explain,
  });
}
