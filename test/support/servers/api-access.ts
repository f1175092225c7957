import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/json/json.ts';
import { PATCH_PODS_STATUS, untilAllowed, type ResourceAttributes } from '../../lab/api-server/access-review.ts';
import type { Cluster } from '../../lab/api-server/kube-apiserver.ts';
import { memberText } from '../../lab/member.ts';
import type { ApiServerNode } from '../nodes/api-server-node.ts';

/** The plugin's credentials for a node's API server in every form: as text, and as files in one folder. */
export interface ApiAccess extends AsyncDisposable {
  readonly server: string;
  readonly token: string;
  readonly tokenPath: string;
  readonly authorityPath: string;
  /** In Base64, as in a kubeconfig. */
  readonly authorityData: string;
  readonly certificatePath: string;
  readonly keyPath: string;
  /** The user of a kubeconfig, with a client certificate of this account. */
  readonly certificateUser: JsonObject;
  /**
   * Makes a kubeconfig with one context, `here`, which has this cluster and user. The server is the node's by
   * default.
   */
  kubeconfig(cluster: JsonObject, user: JsonObject): JsonObject;
  /** Writes or replaces a file (0600) in the folder, and returns its path. */
  write(name: string, text: string): Promise<string>;
}

const CERTIFICATE_ACCOUNT = 'podwire-by-certificate';

/** Writes the files. Disposing removes them. */
export async function makeApiAccess({ cluster, account }: ApiServerNode): Promise<ApiAccess> {
  await bindUser(cluster, CERTIFICATE_ACCOUNT);
  const folder = await mkdtemp('/run/podwire-access-');
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const { users } = cluster.kubeconfigWithClientCertificate({ commonName: CERTIFICATE_ACCOUNT });
  const certificateUser = { ...users[0].user };
  const decoded = (key: string) => Buffer.from(memberText(certificateUser, key), 'base64').toString();
  const { server, certificateAuthorityPem } = cluster;
  return {
    server,
    token: account.token,
    tokenPath: await write('token', `${account.token}\n`),
    authorityPath: await write('ca.crt', certificateAuthorityPem),
    authorityData: Buffer.from(certificateAuthorityPem).toString('base64'),
    certificatePath: await write('client.crt', decoded('client-certificate-data')),
    keyPath: await write('client.key', decoded('client-key-data')),
    certificateUser,
    write,
    kubeconfig: (ofCluster, user) => ({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server, ...ofCluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'here',
    }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

interface Binding {
  readonly role: string;
  /** An action that the role permits. The binding is in force when the user is permitted this action. */
  readonly allowed: ResourceAttributes;
}

/** The role that `createPluginAccount` has created, with only the permissions that the plugin needs. */
const PLUGIN: Binding = { role: 'podwire', allowed: PATCH_PODS_STATUS };

/** Binds a user to a cluster role, and waits until the binding is in force. */
export async function bindUser({ admin }: Cluster, user: string, { role, allowed }: Binding = PLUGIN): Promise<void> {
  const apiGroup = 'rbac.authorization.k8s.io';
  await admin.create(`/apis/${apiGroup}/v1/clusterrolebindings`, {
    metadata: { name: `podwire-${user}` },
    subjects: [{ kind: 'User', name: user, apiGroup }],
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
  });
  await untilAllowed(admin, user, allowed);
}
