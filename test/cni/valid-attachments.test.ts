import { describe, expect, it } from 'vitest';
import { openReader } from '../../src/json/json-reader.ts';
import type { JsonObject, JsonValue } from '../../src/json/json.ts';
import { readValidAttachments } from '../../src/cni/valid-attachments.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';
import { JSON_SOURCE } from '../support/builders/json-source.ts';

const NEW = 'cni.dev/valid-attachments';
const OLD = 'cni.dev/attachments';
const read = (raw: JsonObject) => readValidAttachments(openReader(raw, JSON_SOURCE), raw);
const one = (id: string): JsonValue => ({ containerID: id, ifname: 'eth0' });
const attachment = (containerId: string) => ({ containerId, interfaceName: 'eth0' });

describe('readValidAttachments', () => {
  it('without both keys the attachments are unknown', () => expect(read({})).toBe(undefined));
  it.each([NEW, OLD])('%s is read', (key) =>
    expect(read({ [key]: [one('c1'), one('c2')] })).toEqual([attachment('c1'), attachment('c2')]),
  );
  it.each([NEW, OLD])('null for %s means none', (key) => expect(read({ [key]: null })).toEqual([]));
  it('an empty list means none', () => expect(read({ [NEW]: [] })).toEqual([]));
  it('an attachment in either list is valid', () =>
    expect(read({ [NEW]: [one('c1')], [OLD]: [one('c2')] })).toEqual([attachment('c1'), attachment('c2')]));
  it('null for one key leaves the other', () =>
    expect(read({ [NEW]: null, [OLD]: [one('c2')] })).toEqual([attachment('c2')]));

  const refuses = (why: string, list: JsonValue) =>
    it(`refuses ${why}`, () => expect(cniFailure(() => read({ [NEW]: list })).code).toBe(7));
  refuses('an object', {});
  refuses('a string', 'c1');
  refuses('a list of ids', ['c1']);
  refuses('an entry without an interface', [{ containerID: 'c1' }]);
  refuses('an entry with an empty id', [{ containerID: '', ifname: 'eth0' }]);
  refuses('an id that is a path', [{ containerID: '../x', ifname: 'eth0' }]);
  refuses('an invalid interface name', [one('c1'), { containerID: 'c1', ifname: 'a/b' }]);
});
