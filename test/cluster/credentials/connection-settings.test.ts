// cspell:ignore ture
import { describe, expect, it } from 'vitest';
import { chooseSettings, isVerificationOff } from '../../../src/cluster/credentials/connection-settings.ts';
import { connectionSettings } from '../loopback-cluster.ts';

describe('a setting', () => {
  it('of the network configuration wins over the environment', () => {
    const { kubeconfigPath } = chooseSettings(connectionSettings({ kubeconfigPath: '/a' }), { KUBECONFIG: '/b' });
    expect(kubeconfigPath).toEqual({ value: '/a', namedBy: 'kubernetes.kubeconfig in the network configuration' });
  });
  it('that is empty leaves the word to the environment', () => {
    const { kubeconfigPath } = chooseSettings(connectionSettings({ kubeconfigPath: '' }), { KUBECONFIG: '/b' });
    expect(kubeconfigPath).toEqual({ value: '/b', namedBy: 'KUBECONFIG in the environment' });
  });
  it('that is empty everywhere is absent', () => {
    expect(chooseSettings(connectionSettings(), { KUBECONFIG: '' }).kubeconfigPath).toBeUndefined();
  });
});

describe('K8S_INSECURE_SKIP_TLS_VERIFY', () => {
  const reads = (value: string, expected: boolean) =>
    it(`"${value}" is ${expected}`, () =>
      expect(isVerificationOff({ K8S_INSECURE_SKIP_TLS_VERIFY: value })).toBe(expected));
  reads('', false);
  reads('0', false);
  reads('False', false);
  reads('1', true);
  reads('TRUE', true);
  it('"ture" is refused', () =>
    expect(() => isVerificationOff({ K8S_INSECURE_SKIP_TLS_VERIFY: 'ture' })).toThrow('expected true or false'));
});
