import { describe, expect, it } from 'vitest';
import { holdsSecret } from '../../src/install/holds-secret.ts';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln';

describe('a configuration that only root may read', () => {
  it.each([
    { policy: { k8s_auth_token: 'abc' } },
    { plugins: [{ type: 'other', apiToken: 'abc' }] },
    { policy: { k8s_client_key: 'LS0tLS1CRUdJTg==' } },
    { 'client-key-data': 'LS0tLS1CRUdJTg==' },
    { etcd_password: 'x' },
    { args: [`--bearer=${TOKEN}`] },
    { headers: { a: 'Bearer abc' } },
    { url: 'https://user:word@example.org/' },
    { pem: '-----BEGIN EC PRIVATE KEY-----\nMHc' },
  ])('%j', (config) => expect(holdsSecret(config)).toBe(true));
});

describe('a configuration that all users may read', () => {
  it.each([
    { policy: { type: 'k8s', k8s_auth_token: '' } },
    { kubernetes: { kubeconfig: '/etc/cni/net.d/podwire-kubeconfig', tokenFile: '/run/token' } },
    { policy: { k8s_client_key: '/etc/keys/client.key' } },
    { k8s_api_root: 'https://10.96.0.1:443', mtu: 1500, capabilities: { portMappings: true } },
    null,
  ])('%j', (config) => expect(holdsSecret(config)).toBe(false));
});
