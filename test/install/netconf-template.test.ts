import { describe, expect, it } from 'vitest';
import { type PlaceholderValues, renderNetworkConfig } from '../../src/install/netconf-template.ts';

const PODWIRE = '{"type":"podwire","ipam":{"type":"host-local"}}';
const list = (plugins: string, more = '') => `{"cniVersion":"1.0.0","name":"n",${more}"plugins":[${plugins}]}`;
const render = (template: string, values: PlaceholderValues = {}, fileName = 'a.conflist') =>
  renderNetworkConfig(template, values, fileName);

describe('a template', () => {
  it('gets its values, in strings and as numbers', () => {
    const template = list('{"type":"podwire","mtu":__CNI_MTU__,"nodename":"__NODE__","ipam":{"type":"host-local"}}');
    expect(JSON.parse(render(template, { CNI_MTU: '1400', NODE: 'n1' }).text)).toMatchObject({
      plugins: [{ mtu: 1400, nodename: 'n1' }],
    });
  });

  it('gets lists and booleans as JSON', () => {
    const template = list(
      '{"type":"podwire","require_mtu_file":__WAIT__,"ipam":{"type":"host-local","ranges":__RANGES__}}',
    );
    expect(JSON.parse(render(template, { WAIT: true, RANGES: [[{ subnet: 'usePodCidr' }]] }).text)).toMatchObject({
      plugins: [{ require_mtu_file: true, ipam: { ranges: [[{ subnet: 'usePodCidr' }]] } }],
    });
  });

  it('a value cannot end the string that contains it', () => {
    const template = list('{"type":"podwire","nodename_file":"__NODE__","ipam":{"type":"host-local"}}');
    const NODE = '","type":"other","a":"\\';
    expect(JSON.parse(render(template, { NODE }).text)).toMatchObject({
      plugins: [{ type: 'podwire', nodename_file: NODE }],
    });
  });

  it('lists every program that a runtime will run, once', () => {
    const { programs } = render(list(`${PODWIRE},{"type":"portmap"},{"type":"bandwidth"},{"type":"portmap"}`));
    expect(programs).toEqual(['podwire', 'host-local', 'portmap', 'bandwidth']);
  });

  it('of a single plugin is for a file that is not a list', () =>
    expect(render(`{"cniVersion":"1.0.0","name":"n",${PODWIRE.slice(1)}`, {}, 'a.conf').programs).toEqual([
      'podwire',
      'host-local',
    ]));

  it('contains the token only if it has the placeholder', () => {
    expect(render(list(PODWIRE))).toMatchObject({ holdsToken: false, holdsSecret: false });
    const policy =
      '{"type":"podwire","ipam":{"type":"host-local"},"policy":{"k8s_auth_token":"__SERVICEACCOUNT_TOKEN__"}}';
    expect(render(list(policy), { SERVICEACCOUNT_TOKEN: 'a.b.c' })).toMatchObject({
      holdsToken: true,
      holdsSecret: true,
    });
    const literal = policy.replace('__SERVICEACCOUNT_TOKEN__', 'a-token');
    expect(render(list(literal))).toMatchObject({ holdsToken: false, holdsSecret: true });
  });

  const CALICO = '{"type":"calico","mtu":1400,"ipam":{"type":"host-local"}}';
  it("of Calico's plugin is changed to podwire, and nothing else is", () => {
    const { text, programs } = render(list(`${CALICO},{"type":"portmap","snat":true}`));
    expect(JSON.parse(text)).toEqual({
      cniVersion: '1.0.0',
      name: 'n',
      plugins: [
        { type: 'podwire', mtu: 1400, ipam: { type: 'host-local' } },
        { type: 'portmap', snat: true },
      ],
    });
    expect(programs).toEqual(['podwire', 'host-local', 'portmap']);
  });
  it("of Calico's plugin alone, in a file for one plugin", () =>
    expect(JSON.parse(render(`{"cniVersion":"1.0.0","name":"n",${CALICO.slice(1)}`, {}, 'a.conf').text)).toMatchObject({
      type: 'podwire',
      mtu: 1400,
    }));
  it('that has podwire keeps another plugin called calico', () =>
    expect(JSON.parse(render(list(`${PODWIRE},${CALICO}`)).text)).toMatchObject({
      plugins: [{ type: 'podwire' }, { type: 'calico' }],
    }));

  it('ends with a line break', () => expect(render(list(PODWIRE)).text.endsWith('}\n')).toBe(true));
});

describe('is an error, without any value in the message', () => {
  const refuses = (why: string, template: string, message: RegExp, fileName = 'a.conflist') =>
    it(why, () => {
      const SECRET = 'eyJhbGciOiJub25lIn0.secret';
      const rendering = () => render(template, { SECRET }, fileName);
      expect(rendering).toThrow(message);
      expect(rendering).not.toThrow('eyJhbGci');
    });

  refuses('an unknown placeholder', list(`${PODWIRE},{"type":"__WHAT__"}`), /__WHAT__/);
  refuses(
    'a placeholder that is a name of every object',
    list(`${PODWIRE},{"type":"__CONSTRUCTOR__"}`),
    /__CONSTRUCTOR__/,
  );
  refuses('not JSON', '{"a":"__SECRET__"', /not valid JSON/);
  refuses('a list of JSON', '["__SECRET__"]', /not an object/);
  refuses("Calico's pools", list('{"type":"calico","ipam":{"type":"calico-ipam"}}'), /calico-ipam.*use host-local/);
  refuses('no plugin podwire', list('{"type":"bridge"}'), /no plugin of "type": "podwire"/);
  refuses('a plugin that is not an object', list(`${PODWIRE},"portmap"`), /plugins\[1\]/);
  refuses('no network name', `{"cniVersion":"1.0.0","plugins":[${PODWIRE}]}`, /"name" is missing/);
  refuses(
    'a version that podwire does not speak',
    `{"cniVersion":"9.0.0","name":"n","plugins":[${PODWIRE}]}`,
    /incompatible CNI versions/,
  );
  refuses('podwire without ipam', list('{"type":"podwire","a":"__SECRET__"}'), /"ipam" is missing/);
  refuses(
    'an mtu of the wrong type',
    list('{"type":"podwire","mtu":"__SECRET__","ipam":{"type":"host-local"}}'.replace('__SECRET__', 'x')),
    /"mtu"/,
  );
  refuses('a list in a file with another extension', list(PODWIRE), /ends in \.conflist/, 'a.conf');
  refuses('one plugin in a file with the extension of lists', PODWIRE, /has no list "plugins"/);
});
