import { describe, expect, it } from 'vitest';
import { parsePod, POD_MEMBERS } from '../../src/cluster/pod.ts';
import { openReader } from '../../src/json/json-reader.ts';
import { selectMembers } from '../../src/json/select-members.ts';
import { isSamePod } from '../../src/plan/pod-identity.ts';
import { parsePodOverrides } from '../../src/plan/pod-overrides.ts';
import { planEndpointClearing, planWorkloadEndpoint } from '../../src/plan/workload-endpoint.ts';
import { UNQUOTED_SOURCE } from '../support/builders/json-source.ts';

const metadata = { namespace: 'a', name: 'b', uid: 'c', resourceVersion: '1' };
const aPod = (overrides: object = {}) => ({ metadata, spec: {}, ...overrides });
const parse = (value: unknown) => parsePod(openReader(value, UNQUOTED_SOURCE));

describe('a Pod', () => {
  it('that says the least has defaults', () => {
    expect(parse(aPod())).toEqual({ ...metadata, nodeName: undefined, hostNetwork: false, annotations: {} });
  });
  it('on the host network says so', () => expect(parse(aPod({ spec: { hostNetwork: true } })).hostNetwork).toBe(true));
  it('with fields that podwire does not use is read, whatever their shape', () =>
    expect(parse(aPod({ metadata: { ...metadata, labels: { app: 1 } }, status: 'x' })).name).toBe('b'));
  it('with an annotation called __proto__ keeps it as data', () => {
    const pod = parse(
      JSON.parse(
        '{"metadata":{"namespace":"a","name":"b","uid":"c","resourceVersion":"1","annotations":{"__proto__":"x"}},"spec":{}}',
      ),
    );
    expect(Object.entries(pod.annotations)).toEqual([['__proto__', 'x']]);
  });

  const refuses = (why: string, value: unknown, message: string) =>
    it(`${why} is refused`, () => expect(() => parse(value)).toThrow(new Error(message)));
  refuses('that is null', null, 'expected an object, got null');
  refuses('that is a list', [], 'expected an object, got a list');
  refuses(
    'without uid',
    aPod({ metadata: { ...metadata, uid: '' } }),
    'metadata.uid: expected a string that is not empty, got an empty string',
  );
  refuses(
    'with a number for a name',
    aPod({ metadata: { ...metadata, name: 5 } }),
    'metadata.name: expected a string that is not empty, got a number',
  );
  refuses('without spec', { metadata }, 'spec is missing: expected an object');
  refuses(
    'with annotations that are a list',
    aPod({ metadata: { ...metadata, annotations: [] } }),
    'metadata.annotations: expected an object, got a list',
  );
  refuses(
    'with an annotation that is a number',
    aPod({ metadata: { ...metadata, annotations: { a: 1 } } }),
    'metadata.annotations["a"]: expected a string, got a number',
  );
  refuses(
    'with hostNetwork "yes"',
    aPod({ spec: { hostNetwork: 'yes' } }),
    'spec.hostNetwork: expected true or false, got a string',
  );
});

describe('the members of a Pod that are read from a long text', () => {
  const select = (pod: object) => parse(JSON.parse(selectMembers(JSON.stringify(pod), POD_MEMBERS)));

  it('are all that parsePod returns', () => {
    const annotations = { 'cni.projectcalico.org/hwAddr': '0e:00:00:00:00:01', 'cni.projectcalico.org/podIP': '' };
    const pod = aPod({
      metadata: { ...metadata, annotations },
      spec: { nodeName: 'n', hostNetwork: true, containers: [] },
    });
    expect(select(pod)).toEqual(parse(pod));
  });

  it('are all annotations that podwire reads or compares', () => {
    const read = new Set<string>();
    const annotations = new Proxy<Record<string, string>>(
      {},
      {
        get(_, name) {
          read.add(String(name));
          return name === 'cni.projectcalico.org/containerID' ? 'c1' : undefined;
        },
      },
    );
    const pod = { ...parse(aPod()), annotations };
    parsePodOverrides(annotations, { floatingIpsEnabled: true });
    parsePodOverrides(annotations, { floatingIpsEnabled: false });
    isSamePod(pod, 'another');
    planEndpointClearing({ ...pod, hostNetwork: false }, { containerId: 'c1', podUid: undefined });
    for (const name of Object.keys(planWorkloadEndpoint('c1', []))) read.add(name);
    const named = [...read].map((name) => [name, 'x']);
    expect(select(aPod({ metadata: { ...metadata, annotations: Object.fromEntries(named) } })).annotations).toEqual(
      Object.fromEntries(named),
    );
  });
});
