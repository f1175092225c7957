const LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/**
 * Checks the name of a namespace: at most 63 lower-case letters, digits and `-`, and no `-` at either end.
 *
 * @see RFC 1123 section 2.1
 */
export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && LABEL.test(text);
}

/**
 * Checks the name of a Pod or a Node: labels with dots between them, at most 253 characters in all. Kubernetes lets a
 * label be longer than 63 characters.
 *
 * @see k8s.io/apimachinery pkg/util/validation, IsDNS1123Subdomain
 */
export function isDnsSubdomain(text: string): boolean {
  return text.length <= 253 && text.split('.').every((label) => LABEL.test(label));
}
