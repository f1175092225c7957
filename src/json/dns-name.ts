const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/**
 * A namespace's name: at most 63 lower-case letters, digits and `-`, with neither end a `-`.
 *
 * @see RFC 1123 section 2.1
 */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/**
 * A pod's or a node's name: labels with dots between them, 253 characters in all. Kubernetes lets one label be longer than 63.
 *
 * @see k8s.io/apimachinery pkg/util/validation, IsDNS1123Subdomain
 */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}
