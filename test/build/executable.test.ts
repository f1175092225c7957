import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageVersion } from '../../build/third-party-notices.ts';
import { EXECUTABLE } from '../lab/run-executable.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');

let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'podwire-executable-'));
  await copyFile(EXECUTABLE, join(folder, 'calico'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  promisify(execFile)(join(folder, 'calico'), args, { cwd: folder, env });

describe('the executable', () => {
  it('runs alone from an empty folder, under another name, without an environment', async () => {
    const { stdout, stderr } = await run(['version']);
    expect(stdout).toContain(`podwire ${await packageVersion(REPOSITORY)}`);
    expect(stderr).toBe('');
  });

  it('writes nothing next to itself', async () => {
    await run(['version']);
    expect(await readdir(folder)).toEqual(['calico']);
  });

  // A rejected cache costs 11 ms on every ADD, and nothing else shows it.
  it('has a code cache that its own V8 accepts', async () => {
    expect((await run(['version'])).stdout).toContain('code cache: accepted');
  });

  it('names no folder of the machine that built it', async () => {
    expect((await readFile(EXECUTABLE)).includes(REPOSITORY)).toBe(false);
  });
});

describe("Node's variables in the kubelet's environment change nothing", () => {
  const ignores = (name: string, value: string) =>
    it(`${name}=${value}`, async () => {
      expect(await run(['version'], { [name]: value })).toEqual(await run(['version']));
      expect(await readdir(folder)).toEqual(['calico']);
    });

  ignores('NODE_OPTIONS', '--bogus');
  ignores('NODE_OPTIONS', '--require=./missing.js');
  ignores('NODE_OPTIONS', '--inspect-brk');
  ignores('NODE_OPTIONS', '--max-old-space-size=1');
  ignores('NODE_EXTRA_CA_CERTS', '/missing');
  ignores('NODE_USE_SYSTEM_CA', '1');
  ignores('NODE_CHANNEL_FD', 'abc');
  ignores('NODE_CHANNEL_FD', '5');
  ignores('NODE_REPL_EXTERNAL_MODULE', '/missing');
  ignores('NODE_USE_ENV_PROXY', '1');
  ignores('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  ignores('NODE_PATH', '.');
  ignores('NODE_PENDING_DEPRECATION', '1');
  ignores('NODE_REDIRECT_WARNINGS', 'warnings.txt');
  ignores('NODE_ICU_DATA', '/missing');
  ignores('NODE_CHANNEL_FD', '1');
  ignores('OPENSSL_CONF', '/missing');
  ignores('OPENSSL_MODULES', '/missing');
  ignores('OPENSSL_ENGINES', '/missing');
  ignores('SSL_CERT_FILE', '/missing');
  ignores('SSL_CERT_DIR', '/missing');
  ignores('UV_THREADPOOL_SIZE', '0');

  it('OPENSSL_CONF, naming a file that is not a configuration', async () => {
    const config = await mkdtemp(join(tmpdir(), 'podwire-openssl-'));
    await writeFile(join(config, 'openssl.cnf'), 'garbage [[ =');
    expect(await run(['version'], { OPENSSL_CONF: join(config, 'openssl.cnf') })).toEqual(await run(['version']));
    await rm(config, { recursive: true });
  });
});
