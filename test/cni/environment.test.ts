import { describe, expect, it } from 'vitest';
import { VERBS, findVerb, assertUsableEnvironment, type Environment } from '../../src/cni/environment.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';

const COMPLETE: Environment = {
  CNI_CONTAINERID: 'c1',
  CNI_NETNS: '/var/run/netns/pod',
  CNI_IFNAME: 'eth0',
  CNI_PATH: '/opt/cni/bin',
};

describe('assertUsableEnvironment', () => {
  const missing = (command: string, left: Environment, message: string) =>
    it(`${command} with ${Object.keys(left).join(', ') || 'nothing else'} lacks ${message}`, () =>
      expect(cniFailure(() => assertUsableEnvironment({ CNI_COMMAND: command, ...left }))).toMatchObject({
        code: 4,
        message: `required env variables [${message}] missing`,
      }));

  it.each(Object.keys(VERBS))('%s with all variables is accepted', (verb) =>
    expect(() => assertUsableEnvironment({ ...COMPLETE, CNI_COMMAND: verb })).not.toThrow(),
  );

  missing('ADD', {}, 'CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME');
  missing('ADD', { CNI_NETNS: 'x' }, 'CNI_CONTAINERID,CNI_IFNAME');
  missing('CHECK', { CNI_CONTAINERID: 'c1', CNI_NETNS: '' }, 'CNI_NETNS,CNI_IFNAME');
  missing('DEL', {}, 'CNI_CONTAINERID,CNI_IFNAME');
  missing('GC', {}, 'CNI_PATH');
  missing('', {}, 'CNI_COMMAND');

  it('DEL needs no sandbox: the runtime may have removed it', () =>
    expect(() => assertUsableEnvironment({ ...COMPLETE, CNI_COMMAND: 'DEL', CNI_NETNS: '' })).not.toThrow());
  it.each(['GC', 'STATUS', 'VERSION', 'RENAME'])('%s does not check variables that it does not need', (verb) =>
    expect(() =>
      assertUsableEnvironment({ CNI_COMMAND: verb, CNI_PATH: '/x', CNI_CONTAINERID: '../', CNI_IFNAME: 'a/b' }),
    ).not.toThrow(),
  );

  it('a bad container id comes before a bad interface name', () =>
    expect(
      cniFailure(() =>
        assertUsableEnvironment({ ...COMPLETE, CNI_COMMAND: 'ADD', CNI_CONTAINERID: '/', CNI_IFNAME: '/' }),
      ).message,
    ).toMatch(/^CNI_CONTAINERID/));
  it('a bad interface name comes before missing variables', () =>
    expect(cniFailure(() => assertUsableEnvironment({ CNI_COMMAND: 'ADD', CNI_IFNAME: '/' })).message).toMatch(
      /^CNI_IFNAME/,
    ));
});

describe('findVerb', () => {
  it.each(Object.keys(VERBS))('%s is a verb', (verb) => expect(findVerb(verb)).toBe(verb));
  it.each(['', 'add', 'ADD ', 'toString', '__proto__', 'UPDATE'])('%j is not valid', (command) =>
    expect(findVerb(command)).toBe(undefined),
  );
});
