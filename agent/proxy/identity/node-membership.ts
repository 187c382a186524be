/**
 * This node's own identity towards a controller on another machine: found in capture's vault, or got by joining with a
 * token; renewed as workloads' are, by the certificate that it replaces.
 */
import { readFile } from 'node:fs/promises';
import { controllerSpiffeId, nodeSpiffeId } from '../../../model/system-identity.js';
import { nodeSecretName } from '../../handover/messages.js';
import type { ControllerAccess, ControllerTls } from '../control/controller-access.js';
import type { Timers } from '../control/timers.js';
import { describeError, type ProcessLog } from '../start/process-log.js';
import { type ControllerClock, explainDates } from './controller-clock.js';
import { IdentityManager, type IdentityManagerParts, type IdentityStatus } from './identity-manager.js';
import type { Identity } from './identity-state.js';
import { type Issued, IssueFailure } from './issue-failure.js';
import { trustDomainOfNode } from './node-secret.js';
import { retryDelay } from './renewal-schedule.js';
import { toPem } from './to-pem.js';
import { decodeSecret } from './vault-secret.js';

export interface NodeMembershipParts {
  /** `host:port`. */
  readonly address: string;
  readonly node: string;
  /** Read at each attempt to join: whoever put it there may replace it. */
  readonly tokenFile: string;
  /** PEM: the roots to trust until the mesh's own bundle is known. */
  readonly caFile: string;
  readonly vault: IdentityManagerParts['vault'];
  readonly timers: Timers;
  readonly clock: ControllerClock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly log: ProcessLog;
}

type State =
  /** Capture has not said what its vault keeps. */
  | { readonly kind: 'new' }
  /** The vault keeps nothing; the controller is asked which mesh this is. */
  | { readonly kind: 'looking'; readonly failures: number }
  | { readonly kind: 'known'; readonly trustDomain: string };

const longestTokenBytes = 16 * 1024;

export class NodeMembership implements ControllerAccess {
  readonly address: string;
  readonly #parts: NodeMembershipParts;
  readonly #manager: IdentityManager;
  readonly #ready = Promise.withResolvers<void>();
  readonly #replaced: (() => void)[] = [];
  #state: State = { kind: 'new' };
  /** In force, or the last one that was: the controller refuses it once it has ended. */
  #identity: Identity | null = null;
  #closed = false;

  constructor(parts: NodeMembershipParts) {
    this.#parts = parts;
    this.address = parts.address;
    const { vault, timers, clock, random, log } = parts;
    this.#manager = new IdentityManager({
      purpose: 'node',
      makeRequest: async (spiffeId) => (await import('./make-request.js')).makeRequest(spiffeId),
      issue: (_place, csr) => this.#issue(csr),
      vault,
      events: {
        onPublished: (_place, identity) => this.#publish(identity),
        onWithdrawn: () => {},
        onBundle: () => {},
        onSettled: () => {},
      },
      timers,
      clock,
      random,
      log,
    });
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  get statuses(): readonly IdentityStatus[] {
    return this.#manager.statuses;
  }

  onReplaced(replaced: () => void): void {
    this.#replaced.push(replaced);
  }

  tls(): ControllerTls {
    if (this.#state.kind !== 'known' || this.#identity === null)
      throw new Error('this node has not joined yet');
    return this.#tlsWith(this.#state.trustDomain, pemOf('CERTIFICATE', this.#manager.roots), this.#identity);
  }

  captureReady(): void {
    if (this.#state.kind === 'new') this.#parts.vault.requestSecret(nodeSecretName);
    else this.#manager.captureReady();
  }

  captureLost(): void {
    this.#manager.captureLost();
  }

  /** What the vault keeps of this node; null where nothing. */
  secretArrived(secret: string | null): void {
    if (this.#state.kind !== 'new') return;
    const [certificate] = (secret === null ? null : decodeSecret(secret))?.chain ?? [];
    const trustDomain = certificate === undefined ? null : trustDomainOfNode(certificate, this.#parts.node);
    if (trustDomain !== null) this.#begin(trustDomain, secret);
    else {
      this.#state = { kind: 'looking', failures: 0 };
      void this.#look();
    }
  }

  /** New roots to trust, DER. */
  takeBundle(roots: readonly Uint8Array[]): void {
    this.#manager.takeBundle(roots);
  }

  close(): void {
    this.#closed = true;
    this.#manager.close();
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { address, caFile, timers, clock, random, log } = this.#parts;
    if (this.#state.kind !== 'looking' || this.#closed) return;
    const { failures } = this.#state;
    try {
      const { findTrustDomain } = await import('./find-trust-domain.js');
      this.#begin(await findTrustDomain(address, await readFile(caFile, 'utf8')), null);
    } catch (error) {
      if (failures === 0) {
        const message = describeError(error);
        log('warn', `this node cannot join: ${explainDates(message, clock.nowMs) ?? message}`);
      }
      this.#state = { kind: 'looking', failures: failures + 1 };
      timers.after(retryDelay(failures, 0, random()), () => void this.#look());
    }
  }

  #begin(trustDomain: string, secret: string | null): void {
    if (this.#closed) return;
    this.#state = { kind: 'known', trustDomain };
    const spiffeId = nodeSpiffeId(trustDomain, this.#parts.node);
    this.#manager.setWanted([{ workload: nodeSecretName, spiffeId }]);
    this.#manager.secretArrived(nodeSecretName, secret);
    this.#manager.captureReady();
  }

  /** By the certificate in force, or else by the token. Rejects with IssueFailure. */
  async #issue(csr: Uint8Array): Promise<Issued> {
    const { address, node, caFile } = this.#parts;
    if (this.#state.kind !== 'known')
      throw new IssueFailure('authority_unreachable', 'the mesh is not known yet');
    const { trustDomain } = this.#state;
    const [status] = this.#manager.statuses;
    const held = status?.state.kind === 'renewing' ? status.state.identity : null;
    const token = held === null ? await this.#readToken() : '';
    const { roots } = this.#manager;
    const ca = roots.length > 0 ? pemOf('CERTIFICATE', roots) : await readFile(caFile, 'utf8');
    const { issueNode } = await import('./issue-node.js');
    return issueNode(address, this.#tlsWith(trustDomain, ca, held), { node, csr: Buffer.from(csr), token });
  }

  async #readToken(): Promise<string> {
    const { tokenFile } = this.#parts;
    try {
      const token = (await readFile(tokenFile, 'utf8')).trim();
      if (token !== '' && token.length <= longestTokenBytes) return token;
      throw new Error('it is empty or too long');
    } catch (cause) {
      throw new IssueFailure('node_token_unknown', `there is no token in ${tokenFile}`, { cause });
    }
  }

  #tlsWith(trustDomain: string, ca: string, identity: Identity | null): ControllerTls {
    return {
      key: identity === null ? '' : pemOf('PRIVATE KEY', [identity.privateKey]),
      cert: identity === null ? '' : pemOf('CERTIFICATE', identity.chain),
      ca,
      controllerId: controllerSpiffeId(trustDomain),
    };
  }

  #publish(identity: Identity): void {
    const first = this.#identity === null;
    this.#identity = identity;
    if (first) this.#ready.resolve();
    else for (const replaced of this.#replaced) replaced();
  }
}

function pemOf(label: 'CERTIFICATE' | 'PRIVATE KEY', list: readonly Uint8Array[]): string {
  return list.map((der) => toPem(label, der)).join('');
}
