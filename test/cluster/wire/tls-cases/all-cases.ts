import { bundleCases } from './bundle-cases.ts';
import { chainCases } from './chain-cases.ts';
import { clientCases } from './client-cases.ts';
import { keyCases } from './key-cases.ts';
import { nameCases } from './name-cases.ts';
import { pathCases } from './path-cases.ts';
import { protocolCases } from './protocol-cases.ts';
import type { TlsCase } from './tls-case.ts';

/** Every case, by its subject. */
export function allCases(): Readonly<Record<string, readonly TlsCase[]>> {
  return {
    'chains of certificates': chainCases(),
    'paths to an authority': pathCases(),
    'names in certificates': nameCases(),
    'keys and signatures': keyCases(),
    'files with authorities': bundleCases(),
    protocols: protocolCases(),
    'certificates of clients': clientCases(),
  };
}
