import { makeCertificate, type Certificate, type SigningCertificate } from './certificate.ts';
import { alternativeNames, extendedKeyUsage, isAuthority, isNoAuthority, keyUsage } from './extensions.ts';

/** The contents of a certificate for servers and clients. By default it is valid from an hour ago until tomorrow. */
export interface CertificateRequest {
  /** What Kubernetes reads as the user. */
  readonly commonName: string;
  /** What Kubernetes reads as the user's groups. */
  readonly organizations?: readonly string[];
  /** Names and addresses that a server answers to. */
  readonly subjectAlternativeNames?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate authority that only its own tests trust. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  issue(request: CertificateRequest): Certificate;
  /** An intermediate authority. */
  issueAuthority(commonName: string): CertificateAuthority;
}

/** A certificate authority for one test, on P-256 keys. */
export function makeCertificateAuthority(commonName: string, issuedBy?: SigningCertificate): CertificateAuthority {
  const extensions = [isAuthority(), keyUsage('keyCertSign', 'cRLSign')];
  const authority = makeCertificate({ commonName, extensions }, issuedBy);
  return {
    issueAuthority: (name) => makeCertificateAuthority(name, authority),
    certificatePem: authority.certificatePem,
    issue({ subjectAlternativeNames: names, ...request }) {
      const named = names === undefined ? [] : [alternativeNames(...names)];
      const usages = [isNoAuthority, keyUsage('digitalSignature'), extendedKeyUsage('server', 'client')];
      return makeCertificate({ ...request, extensions: [...usages, ...named] }, authority);
    },
  };
}
