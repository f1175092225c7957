import { describe, expect, it } from 'vitest';
import { layoutOf } from '../../src/install/layout.ts';
import type { UninstallFacts } from '../../src/install/plan-uninstall.ts';
import { waitUntilRemovable } from '../../src/install/wait-until-removable.ts';

const facts = (overrides: Partial<UninstallFacts>): UninstallFacts => ({
  layout: layoutOf('/', { programs: '/opt/cni/bin', configs: '/etc/cni/net.d' }),
  configNames: [],
  hasKubeconfig: false,
  hasProgram: true,
  nativeFolders: [],
  hasLibrariesBesidePrograms: false,
  attachmentCount: 0,
  emptyNetworks: [],
  otherConfigNames: ['20-other.conflist'],
  purgedFolders: [],
  ...overrides,
});

/** Waits on a node that looks like this, one after the other; the last one stays. */
function waitOn(states: readonly UninstallFacts[], signal = new AbortController().signal) {
  const logged: string[] = [];
  const log = { debug: () => {}, info: (text: string) => void logged.push(text), warning: () => {}, error: () => {} };
  let index = 0;
  const observe = async () => {
    const state = states[Math.min(index++, states.length - 1)];
    if (state === undefined) throw new Error('no state');
    return state;
  };
  const environment = { KUBECONFIG: '/nowhere' };
  return { ended: waitUntilRemovable(observe, 'node-1', { environment, log, signal }, 1), logged };
}

describe('the removal from a node', () => {
  it('does not wait if nothing is attached and there is another network', async () => {
    const { ended, logged } = waitOn([facts({})]);
    expect(await ended).toEqual(facts({}));
    expect(logged).toEqual([]);
  });

  it('waits while something is attached, and logs each reason once', async () => {
    const [two, one, none] = [facts({ attachmentCount: 2 }), facts({ attachmentCount: 1 }), facts({})];
    const { ended, logged } = waitOn([two, two, one, none]);
    expect(await ended).toEqual(none);
    expect(logged).toEqual([expect.stringContaining('2 attachments are'), expect.stringContaining('1 attachment is')]);
  });

  it('waits while the API server cannot say whether the node is cordoned', async () => {
    const { ended, logged } = waitOn([facts({ otherConfigNames: [] }), facts({ otherConfigNames: [] }), facts({})]);
    await ended;
    expect(logged).toEqual([expect.stringMatching(/cannot find out whether node node-1 is cordoned: .*\/nowhere/)]);
  });

  it('that is stopped has removed nothing', async () => {
    const controller = new AbortController();
    const { ended } = waitOn([facts({ attachmentCount: 1 })], controller.signal);
    controller.abort();
    await expect(ended).rejects.toThrow('stopped while waiting; nothing was removed');
  });
});
