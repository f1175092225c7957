import { describe, expect, it } from 'vitest';
import { isLoopback, parseServerUrl } from '../../../src/cluster/wire/server-url.ts';

describe('a server URL', () => {
  const reads = (text: string, expected: object) =>
    it(text, () => expect(parseServerUrl(text)).toMatchObject(expected));
  reads('https://a', { text: 'https://a', host: 'a', port: 443, authority: 'a', basePath: '', isEncrypted: true });
  reads('https://a:443/', { text: 'https://a', port: 443, authority: 'a' });
  reads('http://a', { port: 80, isEncrypted: false });
  reads('https://[fd00::1]:6443', { host: 'fd00::1', port: 6443, authority: '[fd00::1]:6443' });
  reads('https://[10.96.0.1]:443', { text: 'https://10.96.0.1', host: '10.96.0.1', port: 443, authority: '10.96.0.1' });
  reads('https://[api.example]:6443', { host: 'api.example', port: 6443, authority: 'api.example:6443' });
  reads('https://a/k8s/clusters/c-1/', { basePath: '/k8s/clusters/c-1', text: 'https://a/k8s/clusters/c-1' });

  const refuses = (text: string, message: RegExp) =>
    it(`${text} is refused`, () => expect(() => parseServerUrl(text)).toThrow(message));
  refuses('10.0.0.1:6443', /neither https/);
  refuses('unix:///run/api', /neither https/);
  refuses('https://', /not a URL/);
  refuses('https://a:99999', /not a URL/);
  refuses('https://u@a', /user or password/);
  refuses('https://a?x', /after "\?"/);

  const loops = (text: string, expected: boolean) =>
    it(`${text} is ${expected ? '' : 'not '}on this machine`, () =>
      expect(isLoopback(parseServerUrl(text))).toBe(expected));
  loops('http://127.0.0.1:8001', true);
  loops('http://127.1', true);
  loops('http://[::1]', true);
  loops('http://localhost', true);
  loops('http://127.0.0.1.example', false);
  loops('http://10.0.0.1', false);
});
