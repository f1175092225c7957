import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../scripts/command-line/run-script.ts';
import { parseDemoArguments } from '../../../scripts/demo/arguments.ts';

type Options = Parameters<typeof parseDemoArguments>[0];

it('without options, the demo starts its own cluster', () => {
  expect(parseDemoArguments({}, '/folder')).toEqual({ kind: 'own-cluster' });
});

it('a relative kubeconfig is in the folder where npm was started', () => {
  expect(parseDemoArguments({ kubeconfig: 'config', pod: 'default/web' }, '/folder')).toEqual({
    kind: 'user-cluster',
    kubeconfigPath: '/folder/config',
    pod: { namespace: 'default', name: 'web' },
    nodeName: undefined,
    mayOverwrite: false,
  });
});

describe('incorrect usage:', () => {
  const rejects = (options: Options, message: string) =>
    it(JSON.stringify(options), () =>
      expect(() => parseDemoArguments(options, '/folder')).toThrow(new UsageError(message)),
    );

  rejects({ pod: 'default/web' }, '--kubeconfig and --pod require each other');
  rejects({ kubeconfig: 'config' }, '--kubeconfig and --pod require each other');
  rejects({ node: 'a' }, '--node and --yes-overwrite require --kubeconfig and --pod');
  rejects({ kubeconfig: 'config', pod: 'web' }, '--pod expects NAMESPACE/NAME, such as default/web, got "web"');
});
