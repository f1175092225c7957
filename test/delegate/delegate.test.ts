import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/address/cidr.ts';
import { ERROR_CODE } from '../../src/cni/error.ts';
import { openDelegate } from '../../src/delegate/delegate.ts';
import { attachment } from '../support/builders/attachment.ts';
import { fakeDelegate } from '../support/delegates/fake-delegate.ts';
import { killRealProcess, startRealProgram, tryRealLock } from '../support/delegates/real-program.ts';

const RESULT = '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/24"}]}';
const DELEGATION = { type: 'fake', config: { cniVersion: '1.1.0', name: 'net' }, families: [] } as const;

const TARGET = attachment({ sandboxPath: '/var/run/netns/p', cniArgs: 'IP=10.0.0.5', release: DELEGATION });

function open(script: string) {
  const folder = fakeDelegate(script);
  const delegate = openDelegate({
    environment: { PATH: '/usr/bin:/bin', CNI_COMMAND: 'ADD' },
    pluginPath: [folder],
    budgetMs: 10_000,
    startProgram: startRealProgram,
    killProcess: killRealProcess,
    tryLock: tryRealLock,
  });
  return { delegate, calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') };
}

describe('the delegate', () => {
  it('ADD passes the configuration and returns the result', async () => {
    const { delegate, calls } = open(`echo '${RESULT}'`);
    expect((await delegate.add(DELEGATION, TARGET)).ips).toEqual([{ address: parseCidr('10.0.0.5/24') }]);
    expect(calls()).toEqual([`ADD ${JSON.stringify(DELEGATION.config)}`]);
  });

  it('DEL returns nothing', async () => {
    const { delegate, calls } = open('');
    await delegate.del(TARGET);
    expect(calls()[0]).toMatch(/^DEL /);
  });

  it('the environment is the command’s, except for the variables of the attachment', async () => {
    const { delegate } = open(
      `echo '{"code":100,"msg":"'"$CNI_CONTAINERID $CNI_IFNAME $CNI_NETNS $CNI_ARGS $CNI_COMMAND"'"}'; exit 1`,
    );
    await expect(delegate.del(TARGET)).rejects.toMatchObject({
      message: 'c1 eth0 /var/run/netns/p IP=10.0.0.5;IgnoreUnknown=1 DEL',
    });
  });

  it('GC is forwarded to a plugin that supports the version that defines it', async () => {
    const { delegate, calls } = open('true');
    await delegate.forward('GC', DELEGATION);
    expect(calls().map((call) => call.split(' ')[0])).toEqual(['GC']);
  });

  const REFUSES = `[ "$CNI_COMMAND" = VERSION ] || { echo '{"code":4,"msg":"unknown CNI_COMMAND: GC"}'; exit 1; }`;

  it('GC succeeds if the plugin refuses it because it supports only earlier versions', async () => {
    const { delegate, calls } = open(`${REFUSES}; echo '{"supportedVersions":["1.0.0"]}'`);
    await delegate.forward('GC', DELEGATION);
    expect(calls().map((call) => call.split(' ')[0])).toEqual(['GC', 'VERSION']);
  });

  it('GC fails if the plugin supports it and refuses it', async () => {
    const { delegate } = open(`${REFUSES}; echo '{"supportedVersions":["1.0.0","1.1.0"]}'`);
    await expect(delegate.forward('GC', DELEGATION)).rejects.toMatchObject({ code: 4 });
  });

  it('a plugin that rejects our version is asked for its versions, and called again with the newest common one', async () => {
    const { delegate, calls } = open(`case "$CNI_COMMAND $stdin" in
      VERSION*) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0","9.9.9"]}';;
      *1.1.0*) echo '{"code":1,"msg":"incompatible CNI versions"}'; exit 1;;
      *) echo '${RESULT}';;
    esac`);
    expect((await delegate.add(DELEGATION, TARGET)).ips).toHaveLength(1);
    expect(calls().map((call) => call.replace(/^(\w+) .*"cniVersion":"([^"]+)".*/, '$1 $2'))).toEqual([
      'ADD 1.1.0',
      'VERSION 1.1.0',
      'ADD 1.0.0',
    ]);
  });

  it('without a common version, the plugin’s own error is thrown', async () => {
    const { delegate } = open(
      `echo '{"code":1,"msg":"incompatible CNI versions","supportedVersions":["7.0.0"]}'; exit 1`,
    );
    await expect(delegate.add(DELEGATION, TARGET)).rejects.toMatchObject({ code: ERROR_CODE.incompatibleVersion });
  });

  it('the plugin’s own code and message are kept, with its path and its details', async () => {
    const { delegate } = open(`echo '{"code":11,"msg":"no addresses left","details":"of 254"}'; exit 1`);
    await expect(delegate.add(DELEGATION, TARGET)).rejects.toMatchObject({
      code: 11,
      message: 'no addresses left',
      details: expect.stringMatching(/from the IPAM plugin .*fake; of 254/),
    });
  });

  const fails = (claim: string, script: string, message: RegExp) =>
    it(claim, async () => {
      const { delegate } = open(script);
      await expect(delegate.add(DELEGATION, TARGET)).rejects.toMatchObject({
        code: ERROR_CODE.delegateFailed,
        message: expect.stringMatching(message),
      });
    });
  fails('success without a result', '', /not a JSON object/);
  fails('success with plain text', 'echo done', /not a JSON object/);
  fails('success with a list', 'echo []', /not a JSON object/);
  fails('success with a result of another shape', `echo '{"cniVersion":"1.0.0","ips":7}'`, /an invalid result/);
  fails('failure without a reason', 'exit 9', /ended with status 9 without a reason on stdout/);
  fails('a signal', 'kill -SEGV $$', /was ended by SIGSEGV/);
});
