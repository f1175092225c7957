import { describe, expect, it } from 'vitest';
import { isDnsLabel, isDnsSubdomain } from '../../src/json/dns-name.ts';

const NEITHER = ['', '-a', 'a-', 'A', 'a_b', 'a b', 'a\n', 'a/b', '../a', 'ä', '%2e', 'a\u0000'];

describe('isDnsLabel', () => {
  it.each(['a', '0', 'kube-system', 'a'.repeat(63)])('%j is valid', (text) => expect(isDnsLabel(text)).toBe(true));
  it.each([...NEITHER, 'a.b', 'a'.repeat(64)])('%j is not valid', (text) => expect(isDnsLabel(text)).toBe(false));
});

describe('isDnsSubdomain', () => {
  it.each(['a', 'a.b', 'web-0', 'kube-proxy-ip-10-0-0-1.ec2.internal', 'a'.repeat(253)])('%j is valid', (text) =>
    expect(isDnsSubdomain(text)).toBe(true),
  );
  it.each([...NEITHER, '.', '..', 'a.', '.a', 'a..b', 'a.-b', 'a'.repeat(254)])('%j is not valid', (text) =>
    expect(isDnsSubdomain(text)).toBe(false),
  );
});
