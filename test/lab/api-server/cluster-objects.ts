import { writeFile } from 'node:fs/promises';

import { member } from '../member.ts';
import { type ApiClient, ApiError, makeApiClient } from './api-client.ts';
import { type Kubeconfig, makeKubeconfig } from './kubeconfig.ts';
import { PATCH_PODS_STATUS, untilAllowed } from './access-review.ts';

export interface NodeOptions {
  /** The first one becomes spec.podCIDR, too. */
  readonly podCIDRs?: readonly string[];
}

export interface PodOptions {
  readonly nodeName?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface PluginAccountOptions {
  /** Binds the token to this Node, as the installer does. */
  readonly nodeName?: string;
}

export interface PluginAccount {
  /** The name that `requestsBy` expects. */
  readonly userName: string;
  readonly token: string;
  readonly kubeconfig: Kubeconfig;
  /** Sends requests as the plugin's account. The caller disposes of it. */
  makeClient(): ApiClient;
  /** Writes the kubeconfig with mode 0600. */
  writeKubeconfig(path: string): Promise<void>;
}

/** The objects that a test needs in a cluster without controllers. */
export interface ClusterObjects {
  createNode(name: string, options?: NodeOptions): Promise<CreatedObject>;
  /** Creates the pod, and its namespace and that namespace's default service account if they are missing. */
  createPod(namespace: string, name: string, options?: PodOptions): Promise<CreatedObject>;
  /**
   * Creates the service account kube-system/podwire with only the permissions that the plugin needs, and a new token
   * for it.
   */
  createPluginAccount(options?: PluginAccountOptions): Promise<PluginAccount>;
}

export interface CreatedObject {
  readonly name: string;
  readonly uid: string;
}

interface Access {
  readonly admin: ApiClient;
  readonly server: string;
  readonly certificateAuthorityPem: string;
}

const ACCOUNT_NAMESPACE = 'kube-system';
const ACCOUNT = 'podwire';
const RULES = [
  { apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['get'] },
  { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
] as const;

export function makeClusterObjects({ admin, server, certificateAuthorityPem }: Access): ClusterObjects {
  return {
    async createNode(name, { podCIDRs = [] } = {}) {
      const [podCIDR] = podCIDRs;
      const metadata = { name, labels: { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux' } };
      const spec = podCIDR === undefined ? {} : { podCIDR, podCIDRs };
      return parseCreated(await admin.create('/api/v1/nodes', { metadata, spec }));
    },

    async createPod(namespace, name, { nodeName, annotations, labels } = {}) {
      await createNamespace(admin, namespace);
      const containers = [{ name: 'main', image: 'never-pulled' }];
      const pod = {
        metadata: { name, ...(annotations && { annotations }), ...(labels && { labels }) },
        spec: { containers, ...(nodeName !== undefined && { nodeName }) },
      };
      return parseCreated(await admin.create(`/api/v1/namespaces/${namespace}/pods`, pod));
    },

    async createPluginAccount({ nodeName } = {}) {
      const userName = `system:serviceaccount:${ACCOUNT_NAMESPACE}:${ACCOUNT}`;
      await createAccount(admin);
      const boundObjectRef =
        nodeName === undefined
          ? undefined
          : { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: await readNodeUid(admin, nodeName) };
      const token = await requestToken(admin, boundObjectRef);
      await untilAllowed(admin, userName, PATCH_PODS_STATUS);
      const kubeconfig = makeKubeconfig(server, certificateAuthorityPem, { token });
      return {
        userName,
        token,
        kubeconfig,
        makeClient: () => makeApiClient(server, { certificateAuthority: certificateAuthorityPem, token }),
        writeKubeconfig: (path) => writeFile(path, JSON.stringify(kubeconfig), { mode: 0o600 }),
      };
    },
  };
}

async function createNamespace(admin: ApiClient, namespace: string): Promise<void> {
  await createUnlessThere(admin, '/api/v1/namespaces', { metadata: { name: namespace } });
  // Admission rejects a pod whose service account does not exist. In a complete cluster a controller creates it.
  await createUnlessThere(admin, `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
}

async function createAccount(admin: ApiClient): Promise<void> {
  const roles = '/apis/rbac.authorization.k8s.io/v1';
  const metadata = { name: ACCOUNT };
  const subject = { kind: 'ServiceAccount', name: ACCOUNT, namespace: ACCOUNT_NAMESPACE };
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: ACCOUNT };
  await createNamespace(admin, ACCOUNT_NAMESPACE);
  await createUnlessThere(admin, `/api/v1/namespaces/${ACCOUNT_NAMESPACE}/serviceaccounts`, { metadata });
  await createUnlessThere(admin, `${roles}/clusterroles`, { metadata, rules: RULES });
  await createUnlessThere(admin, `${roles}/clusterrolebindings`, { metadata, subjects: [subject], roleRef });
}

async function requestToken(admin: ApiClient, boundObjectRef: unknown): Promise<string> {
  const path = `/api/v1/namespaces/${ACCOUNT_NAMESPACE}/serviceaccounts/${ACCOUNT}/token`;
  const spec = { expirationSeconds: 3600, ...(boundObjectRef !== undefined && { boundObjectRef }) };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  return field(await admin.create(path, body), 'status', 'token');
}

async function readNodeUid(admin: ApiClient, nodeName: string): Promise<string> {
  return field(await admin.get(`/api/v1/nodes/${nodeName}`), 'metadata', 'uid');
}

async function createUnlessThere(admin: ApiClient, path: string, body: unknown): Promise<void> {
  try {
    await admin.create(path, body);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
  }
}

function parseCreated(object: unknown): CreatedObject {
  return { name: field(object, 'metadata', 'name'), uid: field(object, 'metadata', 'uid') };
}

function field(object: unknown, outer: string, inner: string): string {
  const value = member(object, outer, inner);
  if (typeof value !== 'string') throw new Error(`no ${outer}.${inner} in ${JSON.stringify(object)}`);
  return value;
}
