import type { FirewallZone } from '../../diagnosis/packet-facts.ts';

/**
 * The zones that `firewall-cmd --get-active-zones` prints: a line with the name of each, and below it, indented, its
 * interfaces and its sources.
 *
 * @see firewall-cmd(1)
 */
export function parseZones(text: string): readonly FirewallZone[] {
  const zones: { name: string; interfaces: readonly string[]; sources: readonly string[] }[] = [];
  for (const line of text.split('\n')) {
    const [, key, list = ''] = /^\s+(interfaces|sources): (.*)$/.exec(line) ?? [];
    // Newer versions write "public (default)".
    const [, name] = /^(\S+)/.exec(line) ?? [];
    const last = zones.at(-1);
    if (name !== undefined) zones.push({ name, interfaces: [], sources: [] });
    else if (last !== undefined && key !== undefined) {
      const items = list.split(' ').filter((item) => item !== '');
      if (key === 'interfaces') last.interfaces = items;
      else last.sources = items;
    }
  }
  return zones;
}
