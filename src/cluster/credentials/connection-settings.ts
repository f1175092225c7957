import type { Environment } from '../../cni/environment.ts';
import { CniError, ERROR_CODE } from '../../cni/error.ts';
import type { NetworkConfig } from '../../netconf/network-config.ts';

/** What the network configuration says of the API server: each key of it may be absent. */
export type ConnectionConfig = NetworkConfig['connection'] & Pick<NetworkConfig, 'datastoreType'>;

/** Without a network configuration. */
export const NOTHING_CONFIGURED: ConnectionConfig = {
  datastoreType: undefined,
  kubeconfigPath: undefined,
  apiRoot: undefined,
  token: undefined,
  clientCertificatePath: undefined,
  clientKeyPath: undefined,
  certificateAuthorityPath: undefined,
};

/** A setting, and what a person would call the place where it stands. */
export interface Setting {
  readonly value: string;
  readonly namedBy: string;
}

export type Settings = { readonly [Key in keyof ConnectionConfig]: Setting | undefined };

/** Each key from the network configuration, else from the environment: what Calico's client does, one key at a time. */
export function chooseSettings(settings: ConnectionConfig, environment: Environment): Settings {
  const choose = (key: keyof ConnectionConfig): Setting | undefined => {
    const { inConfig, inEnvironment } = NAMES[key];
    const configured = settings[key];
    if (isSet(configured)) return { value: configured, namedBy: `${inConfig} in the network configuration` };
    const value = environment[inEnvironment];
    return isSet(value) ? { value, namedBy: `${inEnvironment} in the environment` } : undefined;
  };
  return {
    datastoreType: choose('datastoreType'),
    kubeconfigPath: choose('kubeconfigPath'),
    apiRoot: choose('apiRoot'),
    token: choose('token'),
    clientCertificatePath: choose('clientCertificatePath'),
    clientKeyPath: choose('clientKeyPath'),
    certificateAuthorityPath: choose('certificateAuthorityPath'),
  };
}

/** @throws {CniError} 4 for a value that is neither true nor false: nobody's verification is switched off by a typing error */
export function isVerificationOff(environment: Environment): boolean {
  const value = environment['K8S_INSECURE_SKIP_TLS_VERIFY'];
  if (!isSet(value) || /^(0|f|false)$/i.test(value)) return false;
  if (/^(1|t|true)$/i.test(value)) return true;
  const message = 'K8S_INSECURE_SKIP_TLS_VERIFY in the environment is neither true nor false';
  throw new CniError(ERROR_CODE.invalidEnvironment, message, { details: JSON.stringify(value.slice(0, 64)) });
}

/** Undefined and '' both mean that nobody has set it. */
export function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}

const NAMES = {
  datastoreType: { inConfig: 'datastore_type', inEnvironment: 'DATASTORE_TYPE' },
  kubeconfigPath: { inConfig: 'kubernetes.kubeconfig', inEnvironment: 'KUBECONFIG' },
  apiRoot: { inConfig: 'k8s_api_root', inEnvironment: 'K8S_API_ENDPOINT' },
  token: { inConfig: 'policy.k8s_auth_token', inEnvironment: 'K8S_TOKEN' },
  clientCertificatePath: { inConfig: 'policy.k8s_client_certificate', inEnvironment: 'K8S_CERT_FILE' },
  clientKeyPath: { inConfig: 'policy.k8s_client_key', inEnvironment: 'K8S_KEY_FILE' },
  certificateAuthorityPath: { inConfig: 'policy.k8s_certificate_authority', inEnvironment: 'K8S_CA_FILE' },
} as const satisfies Record<keyof ConnectionConfig, { inConfig: string; inEnvironment: string }>;
