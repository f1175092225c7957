import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCniName, isInterfaceName, parseContainerId, parseInterfaceName } from '../../src/cni/attachment-id.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';

describe('parseContainerId', () => {
  const refuses = (why: string, id: string) =>
    it(`refuses ${why}`, () => expect(cniFailure(() => parseContainerId(id)).code).toBe(4));

  it.each(['c1', '0'.repeat(64), 'A.b_c-d', 'x'.repeat(200)])('%j is valid', (id) =>
    expect(parseContainerId(id)).toBe(id),
  );
  refuses('none', '');
  refuses('a first character that would read as an option', '-rf');
  refuses('a first dot', '.hidden');
  refuses('a way out of the folder', '../../etc/passwd');
  refuses('a slash', 'a/b');
  refuses('a line break at the end', 'c1\n');
  refuses('NUL', 'c1\u0000');
  refuses('a letter beyond ASCII', 'café');
  refuses('201 characters: too long for a file name with what is added', 'x'.repeat(201));

  it('shows refused text escaped and cut', () => {
    const { message } = cniFailure(() => parseContainerId(`\u001b[2J${'x'.repeat(10_000)}`));
    expect(message).toContain(String.raw`"\u001b[2Jxxx`);
    expect(message.length).toBeLessThan(300);
  });
});

describe('parseInterfaceName', () => {
  const refuses = (why: string, name: string) =>
    it(`refuses ${why}`, () => expect(cniFailure(() => parseInterfaceName(name)).code).toBe(4));

  it.each(['eth0', 'e', 'net1', 'a23456789012345', 'veth@1', 'a.b', '...', 'A-b_c'])('%j is valid', (name) =>
    expect(parseInterfaceName(name)).toBe(name),
  );
  refuses('none', '');
  refuses('16 bytes: one more than the kernel keeps', 'a234567890123456');
  refuses('8 characters of 16 bytes', 'éééééééé');
  refuses('a pattern that the kernel would expand', 'eth%d');
  refuses('.', '.');
  refuses('..', '..');
  refuses('a slash, which would lead to another setting', '../eth0');
  refuses('a colon, an old alias', 'eth0:1');
  refuses('a blank', 'eth 0');
  refuses('a line break at the end', 'eth0\n');
  refuses('a terminal escape', 'e\u001b[2J');
  refuses('a no-break space, which the kernel takes for a space', 'eth\u00a00');
  refuses('all, a folder of settings and no interface', 'all');
  refuses('default, likewise', 'default');
});

describe('any text', () => {
  it('is an interface name or an id only if it can be a part of a path', () => {
    const property = fc.property(
      fc.string({ unit: 'binary', maxLength: 20 }),
      (text) => (!isInterfaceName(text) || /^[!-.0-~]+$/.test(text)) && (!isCniName(text) || /^[\w.-]+$/.test(text)),
    );
    expect(() => fc.assert(property, { numRuns: 5000 })).not.toThrow();
  });
});
