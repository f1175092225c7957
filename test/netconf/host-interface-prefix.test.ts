import { describe, expect, it } from 'vitest';
import { parseHostInterfacePrefix } from '../../src/netconf/host-interface-prefix.ts';
import { cniFailure } from '../support/suite/cni-failure.ts';

describe('parseHostInterfacePrefix', () => {
  it.each([
    ['', 'cali'],
    ['tap', 'tap'],
    ['eni,cali', 'eni'],
    [' azv , cali', 'azv'],
    ['c', 'c'],
  ])('%j is %j', (list, prefix) => expect(parseHostInterfacePrefix(list)).toBe(prefix));
  it.each(['calico', ',cali', ' ', 'a/b', 'a b', '%d', 'é', 'c:', '\u001b[2', ','.repeat(1e6)])(
    '%j is refused',
    (list) => {
      const { code, message } = cniFailure(() => parseHostInterfacePrefix(list));
      expect(code).toBe(4);
      expect(message).toMatch(/^FELIX_INTERFACEPREFIX/);
    },
  );
});
