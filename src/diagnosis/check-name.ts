import type { NameFacts } from './api-facts.ts';
import { quoteForShell } from './check-runtime.ts';
import { found, passed, type Finding } from './finding.ts';

/** Checks whether the name of the API server can be resolved on this node, and in time (PW206). */
export function checkName(facts: NameFacts | undefined): Finding {
  if (facts === undefined) return passed('PW206', 'the kubeconfig names the API server by its address');
  const { name, addresses, servers } = facts;
  const silent = servers.filter(({ answer }) => answer === 'no answer');
  const evidence = [
    ['name', name],
    ...servers.map((server) => ['server', `${server.address}: ${ANSWERS[server.answer]}`] as const),
    ['configured', servers.length === 0 ? 'no name server' : undefined],
  ] as const;
  const fix = [`getent ahosts ${quoteForShell(name)}`, 'cat /etc/resolv.conf'];
  if (addresses.length === 0) {
    return found('PW206', 'failed', 'The name of the API server cannot be resolved on this node.', { evidence, fix });
  }
  // A name in /etc/hosts needs no name server.
  if (silent.length > 0 && servers.some(({ answer }) => answer === 'address')) {
    return found('PW206', 'warning', `${silent.length} of ${servers.length} name servers of this node do not answer.`, {
      evidence,
      fix,
    });
  }
  return passed('PW206', `${name} is resolved to ${addresses.join(', ')}`);
}

const ANSWERS = {
  address: 'answers',
  'unknown name': 'answers that the name does not exist',
  'no answer': 'does not answer, or refuses to',
} as const satisfies Record<NameFacts['servers'][number]['answer'], string>;
