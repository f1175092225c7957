import { formatCidr, type Cidr } from '../address/cidr.ts';
import type { IpAddress } from '../address/ip-address.ts';
import type { JsonObject, JsonValue } from '../json/json.ts';
import { isJsonObject } from '../json/json.ts';
import type { Step } from '../plan/step.ts';

/** A step for people: where it acts, and what it does. */
export interface DescribedStep {
  readonly where: 'node' | 'pod';
  readonly what: string;
}

/** Describes a step in one line. */
export function describeStep(step: Step): DescribedStep {
  const where = 'in' in step && step.in === 'sandbox' ? 'pod' : 'node';
  switch (step.kind) {
    case 'create-veth': {
      const mtu = step.mtuBytes === undefined ? '' : `, mtu ${step.mtuBytes}`;
      return { where: 'node', what: `create veth ${step.host.name} and ${step.container.name} in the pod${mtu}` };
    }
    case 'write-sysctl':
      return {
        where,
        what: `set ${step.key}=${step.value}${step.ifValueIn === undefined ? '' : ` if it is ${step.ifValueIn.join(' or ')}`}`,
      };
    case 'set-up':
      return { where, what: `set ${step.interface} up` };
    case 'add-route': {
      const { destination, gateway } = step.route;
      return {
        where,
        what: `route ${formatCidr(destination)}${gateway === undefined ? '' : ` via ${gateway.text}`} dev ${step.interface}`,
      };
    }
    case 'add-address':
      return { where, what: `address ${formatCidr(step.address)} on ${step.interface}` };
    default:
      return step satisfies never;
  }
}

/** The step as JSON: addresses and networks are texts, and members that are not set are left out. */
export function plainStep(step: Step): JsonObject {
  const plain = toPlain(step);
  return isJsonObject(plain) ? plain : {};
}

function toPlain(value: unknown): JsonValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null) return null;
  if (isAddress(value)) return value.text;
  if (isCidr(value)) return formatCidr(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, toPlain(member)]));
}

function isAddress(value: object): value is IpAddress {
  return 'family' in value && 'bytes' in value;
}

function isCidr(value: object): value is Cidr {
  return 'address' in value && 'prefixLength' in value;
}
