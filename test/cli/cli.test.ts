import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { PODWIRE_VERSION } from '../../src/version.ts';
import { cliIo } from '../support/commands/cli-io.ts';

async function call(args: readonly string[], name = 'podwire') {
  const captured = cliIo({ args, called: { name, executablePath: process.execPath } });
  const status = await runCli(captured.io);
  return { status, stdout: captured.stdout, stderr: captured.stderr };
}

describe('the version', () => {
  it.each(['-v', '--v', '-v=true', '--version', '-V', 'version'])(
    '%s prints the version, the versions of the protocol, the state of the code cache and whose libraries are used',
    async (word) => {
      const { status, stdout, stderr } = await call([word]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.split('\n')).toEqual([
        `podwire ${PODWIRE_VERSION}`,
        expect.stringMatching(/^CNI 0\.1\.0 .* 1\.1\.0$/),
        'code cache: none',
        'libraries: those of this machine',
        '',
      ]);
    },
  );

  it('-v takes precedence over -t, as in Calico’s plugin', async () =>
    expect(await call(['-t', '-v'])).toMatchObject({ status: 0, stdout: expect.stringContaining('CNI 0.1.0') }));
});

describe('help', () => {
  it.each([[['--help']], [['-h']], [['help']]])('%o is printed to stdout, with status 0', async (args) =>
    expect(await call(args)).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^Usage: podwire COMMAND/),
      stderr: '',
    }),
  );

  it('without a command it is printed to stderr, with status 2', async () =>
    expect(await call([])).toEqual({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/^Usage: podwire[^]*cnitool/),
    }));

  it('of an unknown command names the word, and the closest one', async () =>
    expect(await call(['help', 'docter'])).toEqual({
      status: 2,
      stdout: '',
      stderr: 'podwire: unknown command "docter". Did you mean "doctor"?\nSee "podwire --help".\n',
    }));

  it('every command that it lists has its own, and no line is longer than 80 columns', async () => {
    const { stdout } = await call(['--help']);
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) (?:\[|<| )/gm)].map(([, name = '']) => name);
    expect(commands).toContain('doctor');
    for (const name of commands.filter((command) => command !== 'help')) {
      const help = await call([name, '--help']);
      expect(help).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining(`Usage: podwire ${name}`) });
      expect([...stdout.split('\n'), ...help.stdout.split('\n')].filter((line) => line.length > 80)).toEqual([]);
    }
  });
});

describe('a wrong command line has status 2, and names the word', () => {
  const refuses = (args: readonly string[], message: string) =>
    it(args.join(' '), async () =>
      expect(oneLine(await call(args))).toEqual({
        status: 2,
        stdout: '',
        stderr: `podwire: ${message} See "podwire --help".`,
        isTooWide: false,
      }),
    );
  const oneLine = ({ stderr, ...rest }: Awaited<ReturnType<typeof call>>) => ({
    ...rest,
    stderr: stderr.trim().replaceAll('\n', ' '),
    isTooWide: stderr.split('\n').some((line) => line.length > 80),
  });

  refuses(['docter'], 'unknown command "docter". Did you mean "doctor"?');
  refuses(['-x', '-v'], 'unknown option "-x"');
  refuses(['-v=maybe'], 'unknown option "-v=maybe"');
  refuses(['doctor', '--tri'], 'unknown option "--tri". Did you mean "--try"?');
  refuses(['doctor', 'PW999'], 'unknown finding "PW999": "podwire doctor --verbose" shows all numbers');
  refuses(
    ['doctor', '--timeout', 'soon'],
    'option "--timeout <seconds>" argument "soon" is invalid. Expected a whole number of seconds from 1 to 9999.',
  );
  refuses(
    ['doctor', '--root', 'rel'],
    'option "--root <folder>" argument "rel" is invalid. Expected an absolute folder.',
  );
  refuses(['uninstall', '--forse'], 'unknown option "--forse". Did you mean "--force"?');
  refuses(
    ['completion', 'ksh'],
    'command-argument value "ksh" is invalid for argument "shell". Expected one of bash, zsh, fish.',
  );
  refuses(
    ['get', 'leasse'],
    'command-argument value "leasse" is invalid for argument "resource". Allowed choices are workloadendpoints, weps, wep, leases, podcidrs, attachments. Did you mean "leases"?',
  );
  refuses(
    ['get', 'leases', '-o', 'ymal'],
    'option "-o, --output <format>" argument "ymal" is invalid. Allowed choices are table, wide, json, yaml, name. Did you mean "yaml"?',
  );
  refuses(['version', 'junk'], 'too many arguments for "version". Expected 0 arguments but got 1: junk.');
});

it.each(['install', 'install-cni'])('under the name %s it installs', async (name) => {
  const { status, stderr } = await call(['--wrong'], name);
  expect([status, stderr]).toEqual([2, expect.stringContaining('unknown option "--wrong"')]);
});

// The entry point of podwire's image is `podwire install`, to which a container's `args` are appended.
it.each([
  ['component', 'cni', 'install'],
  ['install', 'component', 'cni', 'install'],
  ['component', 'node', 'monitor-token'],
  ['install', 'component', 'node', 'monitor-token'],
])('called as Calico 3.33 calls its executable, it installs: %s %s %s %s', async (...words) => {
  const { status, stderr } = await call([...words, '--wrong']);
  expect([status, stderr]).toEqual([2, expect.stringContaining('unknown option "--wrong"')]);
});

it.each([
  [['component', 'cni', 'instal'], 'unknown command "component"'],
  [['install', 'component', 'node', 'init'], 'too many arguments for "install"'],
])('no other component of Calico is known: %j', async (words, message) =>
  expect(await call(words)).toMatchObject({ status: 2, stderr: expect.stringContaining(message) }),
);

it('podwire doctor explains a number without a node, in any case', async () =>
  expect(await call(['doctor', 'pw401'])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^PW401 {2}The token/),
  }));

describe('an error that explains itself is one line, with status 1', () => {
  let folder = '';
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'podwire-cli-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('of a configuration', async () => {
    const path = join(folder, 'a.conflist');
    writeFileSync(path, '[]');
    expect(await call(['test', '--config', path])).toEqual({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^.*not an object: expected \{…\}\n$/),
    });
  });
});

describe('an output that cannot be written', () => {
  const failing = (code: string) => {
    const fail = () => {
      throw Object.assign(new Error(`${code}: write`), { code });
    };
    return { writeStdout: async () => fail(), writeStdoutNow: fail };
  };
  const callWith = async (code: string, ...args: readonly string[]) => {
    const captured = cliIo({ args, ...failing(code) });
    return [await runCli(captured.io), captured.stderr];
  };

  it.each([['--help'], ['version'], ['doctor', 'PW401']])(
    '%s: a reader that has seen enough is fine',
    async (...args) => expect(await callWith('EPIPE', ...args)).toEqual([0, '']),
  );
  it.each([['--help'], ['version'], ['doctor', 'PW401']])('%s: a full disk is named', async (...args) =>
    expect(await callWith('ENOSPC', ...args)).toEqual([1, 'podwire: cannot write to standard output: ENOSPC: write\n']),
  );
});
