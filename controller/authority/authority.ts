/** The mesh's certificate authority: check, authorize, sign, check again, record. */
import { createHash, createPublicKey } from 'node:crypto';
import type { Workload } from '../../model/workload.js';
import { type CheckedSvid, checkSvid, findBundleProblem } from '../../proto/check-svid.js';
import { boundLines } from '../status/bound-lines.js';
import { describeError, type Log } from '../status/log.js';
import { type Asked, authorizeRequest, type Published, type Subject } from './authorize-request.js';
import { checkRequest } from './check-request.js';
import { findProfileProblem } from './find-profile-problem.js';
import type { Chain, IssueResult, Issuer } from './issuer.js';
import { type Refused, refuse } from './refusal.js';
import { type HeldRoot, sameRoots, updateRoots } from './trust-roots.js';

export interface AuthorityParts {
  readonly issuer: Issuer;
  /** Of each certificate. */
  readonly lifetimeMs: number;
  /** Wall clock in milliseconds. */
  readonly now: () => number;
  /** The workload that is published under that uid now. */
  readonly findWorkload: (uid: string) => Workload | undefined;
  /** Null before the first configuration. */
  readonly trustDomain: () => string | null;
  readonly log: Log;
}

export interface IssueRequest {
  /** The node that asks, proven; empty for the controller itself. */
  readonly node: string;
  readonly subject: Subject;
  readonly csr: Uint8Array;
}

/** Who asked for what, for the record. */
export type Asker = Pick<IssueRequest, 'node' | 'subject'>;

/** What agents trust. */
export interface Bundle {
  readonly trustDomain: string;
  /** DER. */
  readonly roots: readonly Uint8Array[];
}

/** An issuer whose root has left its files may go on signing by it for so long, until the next one is known everywhere. */
const longestHandOverMs = 15_000;

/** Signing is quick; more at a time only means that somebody floods. */
const maxUnderWay = 64;

export class Authority {
  readonly #parts: AuthorityParts;
  readonly #refusals = new Map<string, number>();
  readonly #warn: Log['warn'];
  #watchers = new Set<(bundle: Bundle) => void>();
  #roots: readonly HeldRoot[] = [];
  #trustDomain = '';
  #underWay = 0;
  #issued = 0;
  #trouble = '';
  #refreshing: Promise<boolean> | null = null;

  constructor(parts: AuthorityParts) {
    this.#parts = parts;
    this.#warn = boundLines(parts.log, parts.now);
  }

  /** The clock that certificates are dated by. */
  get nowMs(): number {
    return this.#parts.now();
  }

  get issued(): number {
    return this.#issued;
  }

  /** Refusals by reason. */
  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }

  /** Null before the issuer`s roots are known. */
  get bundle(): Bundle | null {
    if (this.#roots.length === 0) return null;
    return { trustDomain: this.#trustDomain, roots: this.#roots.map((root) => root.der) };
  }

  /** Calls `told` on each change of the bundle until the returned function is called. */
  watch(told: (bundle: Bundle) => void): () => void {
    this.#watchers.add(told);
    return () => this.#watchers.delete(told);
  }

  /** Looks at the issuer; what cannot be read is said once and changes nothing. Returns whether it can be used. */
  refresh(): Promise<boolean> {
    // One look serves all who ask meanwhile.
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<boolean> {
    const { issuer, trustDomain, now, lifetimeMs, log } = this.#parts;
    const domain = trustDomain();
    if (domain === null) return false;
    try {
      const current = await issuer.refresh(domain, now());
      const problem = findBundleProblem(current);
      if (problem !== null) throw new Error(`the issuer's ${problem}`);
      this.#takeRoots(updateRoots(this.#roots, current, now(), lifetimeMs + longestHandOverMs), domain);
      if (this.#trouble !== '') log.info('the authority can be used again');
      this.#trouble = '';
      return true;
    } catch (error) {
      const trouble = describeError(error);
      if (trouble !== this.#trouble)
        log.error(`the authority cannot be used: ${trouble}`, { reason: 'issuer_failed' });
      this.#trouble = trouble;
      return false;
    }
  }

  /** Never rejects: what goes wrong is a refusal with a name. */
  async issue(request: IssueRequest): Promise<IssueResult> {
    if (this.#underWay >= maxUnderWay) {
      return this.refused(request, refuse('authority_busy', `${this.#underWay} requests are under way`));
    }
    this.#underWay += 1;
    try {
      return await this.#issue(request);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Records a refusal, also one that was made before the request reached the authority. */
  refused({ node, subject }: Asker, refusal: Refused): Refused {
    const { reason, message } = refusal;
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    this.#warn(`certificate refused: ${message}`, {
      audit: 'certificate-refused',
      reason,
      node: node.slice(0, 253),
      ...(subject.kind === 'workload' ? { workload: subject.uid.slice(0, 253) } : {}),
    });
    return refusal;
  }

  async #issue(request: IssueRequest): Promise<IssueResult> {
    const { findWorkload, trustDomain: domainNow } = this.#parts;
    const checked = await checkRequest(request.csr);
    if (!checked.ok) return this.refused(request, checked);
    const trustDomain = domainNow();
    if (trustDomain === null) {
      return this.refused(request, refuse('issuer_failed', 'there is no configuration yet'));
    }
    const asked: Asked = { node: request.node, subject: request.subject, uri: checked.uri };
    const published: Published = { trustDomain, findWorkload };
    const permitted = authorizeRequest(asked, published);
    if (!permitted.ok) return this.refused(request, permitted);
    // Files that are wrong now change nothing for who has signed before.
    if (!(await this.refresh()) && this.#roots.length === 0) {
      return this.refused(request, refuse('issuer_failed', this.#trouble));
    }
    const signed = await this.#sign(request, checked.uri, trustDomain, checked.publicKey);
    if (!signed.ok) return this.refused(request, signed);
    // A workload may have left while an issuer took its time.
    const still = authorizeRequest(asked, published);
    if (!still.ok) return this.refused(request, still);
    return this.#record(request, signed.chain, signed.svid);
  }

  async #sign(
    { csr, subject: { kind: purpose } }: IssueRequest,
    spiffeId: string,
    trustDomain: string,
    publicKey: Uint8Array,
  ): Promise<{ readonly ok: true; readonly chain: Chain; readonly svid: CheckedSvid } | Refused> {
    const { issuer, lifetimeMs, now } = this.#parts;
    try {
      const asked = { spiffeId, purpose, trustDomain, publicKey, csr, lifetimeMs };
      const chain = await issuer.sign({ ...asked, nowMs: now() });
      const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
      const roots = this.#roots.map((root) => root.der);
      const check = checkSvid(chain, roots, { spiffeId, purpose, publicKey: key, nowMs: now() });
      const problem = check.ok ? findProfileProblem(chain[0] as Uint8Array) : check.problem;
      if (check.ok && problem === null) return { ok: true, chain, svid: check.svid };
      return refuse('issuer_failed', `the issuer signed what was not asked: ${problem}`);
    } catch (error) {
      return refuse('issuer_failed', describeError(error));
    }
  }

  #record({ node, subject }: IssueRequest, chain: Chain, svid: CheckedSvid): IssueResult {
    this.#issued += 1;
    const { spiffeId, serial, issuer, notBeforeMs, expiresMs } = svid;
    this.#parts.log.info(`certificate issued for ${spiffeId}`, {
      audit: 'certificate-issued',
      ...(node === '' ? {} : { node }),
      ...(subject.kind === 'workload' ? { workload: subject.uid } : {}),
      identity: spiffeId,
      serial,
      issuer,
      notBefore: new Date(notBeforeMs).toISOString(),
      expires: new Date(expiresMs).toISOString(),
      fingerprint: createHash('sha256')
        .update(chain[0] as Uint8Array)
        .digest('hex'),
    });
    return { ok: true, chain, roots: this.#roots.map((root) => root.der), expiresMs };
  }

  #takeRoots(roots: readonly HeldRoot[], trustDomain: string): void {
    const same = sameRoots(roots, this.#roots) && trustDomain === this.#trustDomain;
    this.#roots = roots;
    this.#trustDomain = trustDomain;
    const { bundle } = this;
    if (same || bundle === null) return;
    this.#parts.log.info('the trust bundle has changed', { roots: roots.length, trustDomain });
    for (const told of this.#watchers) told(bundle);
  }
}
