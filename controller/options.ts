/** The controller's command line. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import { isNodeName } from '../model/system-identity.js';
import type { IdentitySettings } from './authority/create-authority.js';
import type { ListenAddresses } from './publish/agent-listeners.js';

/** Where configuration comes from. */
export type SourceFlags =
  | {
      readonly kind: 'folder';
      readonly folder: string;
      /** The folder's name in problems; the same where it is not mounted elsewhere. */
      readonly shownAs: string;
    }
  | {
      readonly kind: 'kubernetes';
      /** null: the service account of the pod that the controller runs in. */
      readonly kubeconfig: string | null;
      /** Weft's own namespace. */
      readonly namespace: string;
      /** Whether statuses are written. */
      readonly status: boolean;
    };

export interface ControllerFlags {
  readonly source: SourceFlags;
  readonly listen: ListenAddresses;
  /** This machine's address for other replicas; null: there are none. */
  readonly advertise: string | null;
  /** File of the join tokens' hashes; null: nodes do not join by tokens. */
  readonly tokens: string | null;
  /** Audience of the service-account tokens that nodes of the cluster join with; null: they do not. */
  readonly reviewTokens: string | null;
  readonly admin: string | null;
  /** Port of what only tells, on 127.0.0.1. */
  readonly adminPort: number | null;
  readonly metrics: { readonly host: string; readonly port: number } | null;
  readonly node: string;
  readonly trustDomain: string | null;
  /** Null: workloads get no certificates. */
  readonly identities: IdentitySettings | null;
}

export const usage = `usage: controller --folder DIR --listen unix:PATH [options]

  --folder DIR            manifests to watch
  --shown-as DIR          what problems call that folder (default: its own name)
  --listen unix:PATH      where the agent of this machine's node connects
  --listen-nodes HOST:PORT  where further nodes connect, over TLS; needs an authority
  --advertise HOST        where other replicas of the controller reach this one, on the port for nodes
  --tokens FILE           let nodes join with tokens, whose hashes are kept in FILE (POST /tokens makes one)
  --review-tokens NAME    let nodes of the cluster join with their pods' tokens for audience NAME; needs --kubernetes
  --admin PATH            Unix socket for GET /status and /ready
  --admin-port N          the same on 127.0.0.1, for a port-forward into a pod
  --metrics HOST:PORT     Prometheus metrics
  --node NAME             this machine's node, also that of workloads that name none (default: local)
  --trust-domain NAME     trust domain while no Mesh names one
  --authority DIR         issue certificates with the key in DIR (tls.key, tls.crt, ca.crt)
  --create-authority      make a root there where DIR is missing
  --external-issuer DIR   have certificates signed by requests laid into DIR, instead of --authority
  --certificate-seconds N life of a certificate, 5 to 2592000 (default 86400)
  --help                  this text

Prints {"ready":true} on standard output once agents can connect; logs to standard error.
`;

/** A command line that cannot be used. */
export class UsageError extends Error {}

/** Parses the arguments after the program's name; null asks for help. Throws UsageError. */
export function parseFlags(args: readonly string[]): ControllerFlags | null {
  const { values } = parseValues(args);
  if (values.help === true) return null;
  const { listen, admin, metrics, node = 'local' } = values;
  const source = readSource(values);
  if (!isNodeName(node)) throw new UsageError(`--node ${node} is no DNS name`);
  const trustDomain = values['trust-domain'] ?? null;
  if (trustDomain !== null && !/^[a-z0-9]([a-z0-9._-]{0,253}[a-z0-9])?$/.test(trustDomain)) {
    throw new UsageError(
      `--trust-domain ${trustDomain} is no trust domain (lower-case letters, digits, . - _)`,
    );
  }
  const identities = readIdentities(values);
  return {
    source,
    listen: readListen(listen, values['listen-nodes'], identities !== null),
    advertise: readAdvertise(values),
    tokens: readTokens(values.tokens, values['listen-nodes']),
    reviewTokens: readReview(values),
    admin: admin ?? null,
    adminPort: readPort(values['admin-port']),
    metrics: metrics === undefined ? null : parseHostPort('--metrics', metrics),
    node,
    trustDomain,
    identities,
  };
}

function readSource(values: ReturnType<typeof parseValues>['values']): SourceFlags {
  const { folder, kubernetes = false, kubeconfig, namespace = 'weft-system' } = values;
  const shownAs = values['shown-as'];
  if (kubernetes && folder !== undefined)
    throw new UsageError('--folder and --kubernetes exclude each other');
  if (kubernetes)
    return {
      kind: 'kubernetes',
      kubeconfig: kubeconfig ?? null,
      namespace,
      status: values['no-status'] !== true,
    };
  if (folder === undefined) throw new UsageError('--folder or --kubernetes is missing');
  if (kubeconfig !== undefined) throw new UsageError('--kubeconfig needs --kubernetes');
  return { kind: 'folder', folder, shownAs: shownAs ?? folder };
}

function readIdentities(values: ReturnType<typeof parseValues>['values']): IdentitySettings | null {
  const { authority, 'external-issuer': external, 'certificate-seconds': seconds = '86400' } = values;
  const create = values['create-authority'] === true;
  if (authority === undefined && external === undefined) {
    if (create) throw new UsageError('--create-authority needs --authority DIR');
    return null;
  }
  if (authority !== undefined && external !== undefined) {
    throw new UsageError('--authority and --external-issuer exclude each other');
  }
  const number = Number(seconds);
  if (!/^\d{1,7}$/.test(seconds) || number < 5 || number > 2_592_000) {
    throw new UsageError(`--certificate-seconds ${seconds}: 5 to 2592000 are needed`);
  }
  const issuer =
    authority === undefined
      ? ({ kind: 'external', folder: external as string } as const)
      : ({ kind: 'built-in', folder: authority, create } as const);
  return { issuer, lifetimeMs: number * 1000 };
}

function parseValues(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        folder: text,
        'shown-as': text,
        kubernetes: { type: 'boolean' },
        kubeconfig: text,
        namespace: text,
        'no-status': { type: 'boolean' },
        listen: text,
        'listen-nodes': text,
        advertise: text,
        tokens: text,
        'review-tokens': text,
        admin: text,
        'admin-port': text,
        metrics: text,
        node: text,
        'trust-domain': text,
        authority: text,
        'create-authority': { type: 'boolean' },
        'external-issuer': text,
        'certificate-seconds': text,
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function readListen(listen: string | undefined, nodes: string | undefined, issues: boolean): ListenAddresses {
  if (listen === undefined && nodes === undefined) throw new UsageError('--listen is missing');
  if (listen !== undefined && !listen.startsWith('unix:')) {
    throw new UsageError(`--listen ${listen}: unix:PATH is needed; over TCP there is --listen-nodes`);
  }
  if (nodes !== undefined && !issues) {
    throw new UsageError(
      '--listen-nodes needs --authority or --external-issuer: nodes prove themselves by certificates',
    );
  }
  return {
    socket: listen === undefined ? null : listen.slice('unix:'.length),
    nodes: nodes === undefined ? null : parseHostPort('--listen-nodes', nodes),
  };
}

function readTokens(tokens: string | undefined, nodes: string | undefined): string | null {
  if (tokens !== undefined && nodes === undefined) throw new UsageError('--tokens needs --listen-nodes');
  return tokens ?? null;
}

/** An address, IPv6 in brackets as in a URL. */
function readAdvertise(values: ReturnType<typeof parseValues>['values']): string | null {
  const { advertise, kubernetes, 'listen-nodes': nodes } = values;
  if (advertise === undefined) return null;
  if (kubernetes !== true || nodes === undefined) {
    throw new UsageError('--advertise needs --kubernetes and --listen-nodes');
  }
  const address = advertise.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) === 0) throw new UsageError(`--advertise ${advertise} is no IP address`);
  return isIP(address) === 6 ? `[${address}]` : address;
}

function readReview(values: ReturnType<typeof parseValues>['values']): string | null {
  const { 'review-tokens': audience, kubernetes, tokens, 'listen-nodes': nodes } = values;
  if (audience === undefined) return null;
  if (kubernetes !== true || nodes === undefined) {
    throw new UsageError('--review-tokens needs --kubernetes and --listen-nodes');
  }
  if (tokens !== undefined) throw new UsageError('--tokens and --review-tokens exclude each other');
  if (audience === '') throw new UsageError('--review-tokens needs the name of an audience');
  return audience;
}

function readPort(text: string | undefined): number | null {
  if (text === undefined) return null;
  if (/^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535) return Number(text);
  throw new UsageError(`--admin-port ${text} is no port`);
}

function parseHostPort(flag: string, text: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) throw new UsageError(`${flag} ${text} is no HOST:PORT`);
  return { host, port: Number(port) };
}
