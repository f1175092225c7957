import type { ForwardChain, ForwardRule } from '../../diagnosis/forward-rules.ts';
import { isJsonList, isJsonObject, parseJsonObject, type JsonObject, type JsonValue } from '../../json/json.ts';

/**
 * The chains of the hook "forward", as `nft -j list ruleset` prints them.
 *
 * @throws {Error} if the text is not its JSON
 * @see libnftables-json(5)
 */
export function parseNft(text: string): readonly ForwardChain[] {
  const list = parseJsonObject(text)['nftables'] ?? null;
  const items = isJsonList(list) ? list.filter(isJsonObject) : [];
  const chains = items.flatMap(({ chain }) => (isJsonObject(chain) ? [chain] : []));
  const rules = items.flatMap(({ rule }) => (isJsonObject(rule) ? [rule] : []));
  return chains
    .filter(({ hook, type }) => hook === 'forward' && type === 'filter')
    .filter(({ family }) => family === 'ip' || family === 'ip6' || family === 'inet')
    .map(({ family, table, name, policy }) => {
      const inTable = rules.filter((rule) => rule['family'] === family && rule['table'] === table);
      const byChain = new Map<string, ForwardRule[]>();
      for (const rule of inTable) {
        const chain = nameIn(rule['chain']);
        byChain.set(chain, [...(byChain.get(chain) ?? []), parseRule(rule)]);
      }
      return {
        program: 'nft',
        family: nameIn(family),
        table: nameIn(table),
        name: nameIn(name),
        policy: policy === 'drop' ? 'drop' : 'accept',
        chains: byChain,
      };
    });
}

function parseRule({ expr }: JsonObject): ForwardRule {
  const parts = isJsonList(expr ?? null) && Array.isArray(expr) ? expr.filter(isJsonObject) : [];
  const matches = parts.flatMap((part) => ('match' in part && isJsonObject(part['match']) ? [part['match']] : []));
  const names = (key: string) => matches.filter((match) => metaKey(match) === key && match['op'] !== '!=');
  const [from] = names('iifname');
  const [to] = names('oifname');
  const others = matches.filter((match) => match !== from && match !== to);
  // What iptables wrote has extensions, whose conditions are not in the JSON.
  const hasUnknown = parts.some((part) => 'xt' in part || 'vmap' in part);
  return {
    from: textOf(from),
    to: textOf(to),
    applies: others.some(isNeverOfPod) ? 'never' : others.length > 0 || hasUnknown ? 'sometimes' : 'always',
    verdict: verdictOf(parts),
  };
}

function metaKey({ left }: JsonObject): JsonValue | undefined {
  const meta = isJsonObject(left) ? left['meta'] : undefined;
  return isJsonObject(meta) ? meta['key'] : undefined;
}

function nameIn(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

function textOf(match: JsonObject | undefined): string | undefined {
  const right = match?.['right'];
  return typeof right === 'string' ? right : undefined;
}

// A connection that a pod begins is new.
function isNeverOfPod(match: JsonObject): boolean {
  const ct = isJsonObject(match['left']) ? match['left']['ct'] : undefined;
  const key = isJsonObject(ct) ? ct['key'] : undefined;
  const right = JSON.stringify(match['right'] ?? null);
  return (key === 'state' && match['op'] !== '!=' && !right.includes('new')) || key === 'status';
}

function verdictOf(parts: readonly JsonObject[]): ForwardRule['verdict'] {
  for (const part of parts) {
    if ('accept' in part) return 'accept';
    if ('drop' in part || 'reject' in part) return 'drop';
    const target = part['jump'] ?? part['goto'];
    if (isJsonObject(target)) return { jump: nameIn(target['target']) };
    // A map of verdicts, or an extension, which may accept.
    if ('vmap' in part || 'xt' in part) return 'accept';
  }
  return 'continue';
}
