/** Which endpoint of a service takes a request. The choice is pure; load figures belong to the caller. */
import type { Balancing } from './service.js';

/** One address and port that can take a request. */
export interface Candidate {
  /** `address:port`, IPv6 in brackets: equal keys are the same endpoint, in every snapshot. */
  readonly key: string;
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  /** Empty where the address belongs to no workload that the mesh knows. */
  readonly workloadUid: string;
  readonly zone: string;
}

/**
 * Candidates in groups of falling preference; the first group that has any is used. Ready ones, then those that
 * still serve though they terminate. (Locality will split these groups further.)
 */
export type CandidateTiers = readonly (readonly Candidate[])[];

/** What is known of one endpoint's load. Changed in place by the functions below. */
export interface EndpointLoad {
  /** Attempts that have not ended. */
  inFlight: number;
  /** Peak-sensitive moving average of latency, microseconds; 0 where nothing was measured yet. */
  latencyUs: number;
  /** When latencyUs was last brought up to date. */
  updatedMs: number;
}

export function newEndpointLoad(): EndpointLoad {
  return { inFlight: 0, latencyUs: 0, updatedMs: 0 };
}

/** Where round robin goes on; one per service port. */
export interface Rotation {
  next: number;
}

/** What a choice reads apart from the candidates. */
export interface ChoiceState {
  /** The load of a candidate; makes one where none is kept. */
  loadOf(candidate: Candidate): EndpointLoad;
  readonly rotation: Rotation;
}

/**
 * Chooses an endpoint, or null where no tier has one (no_ready_endpoint). One that this request has tried is
 * chosen again only where its tier holds no other.
 *
 * @param random uniform in [0, 1); round robin does not read it
 * @param tried candidates that earlier attempts of the request used
 */
export function chooseEndpoint(
  tiers: CandidateTiers,
  balancing: Balancing,
  state: ChoiceState,
  random: number,
  nowMs: number,
  tried: readonly Candidate[],
): Candidate | null {
  for (let at = 0; at < tiers.length; at += 1) {
    const tier = tiers[at] as readonly Candidate[];
    if (tier.length > 0) {
      const fresh = tried.length === 0 ? tier : untried(tier, tried);
      return chooseFrom(fresh, balancing, state, random, nowMs);
    }
  }
  return null;
}

function untried(tier: readonly Candidate[], tried: readonly Candidate[]): readonly Candidate[] {
  const fresh = tier.filter((candidate) => !tried.some((other) => other.key === candidate.key));
  return fresh.length > 0 ? fresh : tier;
}

function chooseFrom(
  tier: readonly Candidate[],
  balancing: Balancing,
  state: ChoiceState,
  random: number,
  nowMs: number,
): Candidate {
  if (tier.length === 1) return tier[0] as Candidate;
  switch (balancing) {
    case 'round-robin': {
      const at = state.rotation.next % tier.length;
      state.rotation.next = at + 1;
      return tier[at] as Candidate;
    }
    case 'least-request':
    case 'peak-ewma': {
      // One random number gives both: its whole part the first, what is left over the second.
      const scaled = random * tier.length;
      const first = Math.floor(scaled);
      const step = 1 + Math.floor((scaled - first) * (tier.length - 1));
      const a = tier[first] as Candidate;
      const b = tier[(first + step) % tier.length] as Candidate;
      const cost = balancing === 'peak-ewma' ? peakCost : requestCost;
      return cost(state.loadOf(b), nowMs) < cost(state.loadOf(a), nowMs) ? b : a;
    }
  }
}

function requestCost(load: EndpointLoad): number {
  return load.inFlight;
}

/** Time in which a measured latency loses all but 1/e of its weight. */
const decayMs = 10_000;

/** What an endpoint that has never answered costs while a request is under way to it: one request finds out. */
const unmeasuredUs = 1_000_000;

/** Latency that a failed attempt counts as at least, so that failing fast does not attract requests. */
const failureUs = 1_000_000;

/** Decayed latency × requests under way, the coming one included (Finagle's peak EWMA). */
function peakCost(load: EndpointLoad, nowMs: number): number {
  if (load.latencyUs === 0) return load.inFlight * unmeasuredUs;
  return load.latencyUs * weightAt(load, nowMs) * (load.inFlight + 1);
}

function weightAt(load: EndpointLoad, nowMs: number): number {
  return Math.exp(-Math.max(nowMs - load.updatedMs, 0) / decayMs);
}

export function beginAttempt(load: EndpointLoad): void {
  load.inFlight += 1;
}

/** Counts the end of an attempt. A slower answer than the average replaces it at once, a faster one bends it. */
export function endAttempt(load: EndpointLoad, latencyUs: number, failed: boolean, nowMs: number): void {
  load.inFlight = Math.max(load.inFlight - 1, 0);
  const observed = failed ? Math.max(latencyUs, failureUs) : Math.max(latencyUs, 1);
  const weight = weightAt(load, nowMs);
  const mixed = load.latencyUs * weight + observed * (1 - weight);
  load.latencyUs = observed > load.latencyUs ? observed : mixed;
  load.updatedMs = Math.max(nowMs, load.updatedMs);
}

/** The key of an address and port. */
export function endpointKey(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
