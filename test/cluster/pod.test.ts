import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/cluster/fields.ts';
import { parsePod } from '../../src/cluster/pod.ts';

const metadata = { namespace: 'a', name: 'b', uid: 'c', resourceVersion: '1' };
const aPod = (special: object = {}) => ({ metadata, spec: {}, ...special });

describe('a Pod', () => {
  it('that says the least has defaults', () => {
    expect(parsePod(aPod())).toEqual({
      ...metadata,
      nodeName: undefined,
      serviceAccountName: undefined,
      hostNetwork: false,
      isBeingDeleted: false,
      phase: undefined,
      labels: {},
      annotations: {},
      podIps: [],
    });
  });
  it('on the host network says so', () =>
    expect(parsePod(aPod({ spec: { hostNetwork: true } })).hostNetwork).toBe(true));
  it('with a deletion time is being deleted', () => {
    const pod = aPod({ metadata: { ...metadata, deletionTimestamp: '2026-11-22T00:00:00Z' } });
    expect(parsePod(pod).isBeingDeleted).toBe(true);
  });
  it('has the addresses of podIPs', () => {
    expect(
      parsePod(aPod({ status: { podIP: '1.1.1.1', podIPs: [{ ip: '1.1.1.1' }, { ip: 'fd00::1' }] } })).podIps,
    ).toEqual(['1.1.1.1', 'fd00::1']);
  });
  it('without podIPs has the address of podIP', () =>
    expect(parsePod(aPod({ status: { podIP: '1.1.1.1' } })).podIps).toEqual(['1.1.1.1']));
  it('with an annotation called __proto__ keeps it as data', () => {
    const pod = parsePod(
      JSON.parse(
        '{"metadata":{"namespace":"a","name":"b","uid":"c","resourceVersion":"1","annotations":{"__proto__":"x"}},"spec":{}}',
      ),
    );
    expect(Object.entries(pod.annotations)).toEqual([['__proto__', 'x']]);
  });

  const refuses = (why: string, value: unknown, message: string) =>
    it(`${why} is refused`, () => expect(() => parsePod(value)).toThrow(new ShapeError(message)));
  refuses('that is null', null, 'the answer is null, an object is wanted');
  refuses('that is a list', [], 'the answer is a list, an object is wanted');
  refuses(
    'without uid',
    aPod({ metadata: { ...metadata, uid: '' } }),
    'metadata.uid is missing or empty, text is wanted',
  );
  refuses(
    'with a number for a name',
    aPod({ metadata: { ...metadata, name: 5 } }),
    'metadata.name is a number, text is wanted',
  );
  refuses('without spec', { metadata }, 'spec is missing, an object is wanted');
  refuses(
    'with annotations that are a list',
    aPod({ metadata: { ...metadata, annotations: [] } }),
    'metadata.annotations is a list, an object is wanted',
  );
  refuses(
    'with an annotation that is a number',
    aPod({ metadata: { ...metadata, annotations: { a: 1 } } }),
    'metadata.annotations["a"] is a number, text is wanted',
  );
  refuses(
    'with hostNetwork "yes"',
    aPod({ spec: { hostNetwork: 'yes' } }),
    'spec.hostNetwork is text, true or false is wanted',
  );
});
