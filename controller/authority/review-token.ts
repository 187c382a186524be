/**
 * Lets nodes of a Kubernetes cluster join: the token is the projected one of a proxy's pod, made for weft's own audience,
 * and the API server says whose it is and on which node that pod runs (TokenReview; authentication.kubernetes.io/v1).
 */
import { isNodeName } from '../../model/system-identity.js';
import type { ApiClient } from '../kubernetes/api-client.js';
import { describeError } from '../status/log.js';
import type { NodeProof } from './authenticate-node.js';
import type { NodeAuthenticator } from './node-authenticator.js';
import { refuse } from './refusal.js';

export interface TokenReviewParts {
  readonly client: Pick<ApiClient, 'send'>;
  /** What tokens must be made for; one for the API server itself is refused. */
  readonly audience: string;
  /** The service account of nodes' pods. */
  readonly serviceAccount: { readonly namespace: string; readonly name: string };
}

/** Names the pod's node in a token's extra claims (Kubernetes 1.30). */
const nodeClaim = 'authentication.kubernetes.io/node-name';
const silenceMs = 5_000;
/** The API server takes longer ones, but none of a service account is. */
const maxTokenLength = 16 * 1024;

interface ReviewStatus {
  readonly authenticated?: boolean;
  readonly audiences?: readonly string[];
  readonly error?: string;
  readonly user?: {
    readonly username?: string;
    readonly extra?: Readonly<Record<string, readonly string[] | undefined>>;
  };
}

export class TokenReview implements NodeAuthenticator {
  readonly #parts: TokenReviewParts;

  constructor(parts: TokenReviewParts) {
    this.#parts = parts;
  }

  async authenticate(token: string, claimed: string): Promise<NodeProof> {
    if (token.length > maxTokenLength) return refuse('node_token_unknown', 'the token is too long');
    try {
      return this.#judge(await this.#review(token), claimed);
    } catch (error) {
      return refuse('node_not_authenticated', `the token could not be reviewed: ${describeError(error)}`);
    }
  }

  async #review(token: string): Promise<ReviewStatus> {
    const { client, audience } = this.#parts;
    const { status, body } = await client.send(
      {
        method: 'POST',
        path: '/apis/authentication.k8s.io/v1/tokenreviews',
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [audience] },
        },
        silenceMs,
      },
      AbortSignal.timeout(2 * silenceMs),
    );
    const review = body as { status?: ReviewStatus } | null;
    if (status !== 201 || review?.status === undefined) {
      throw new Error(`the API server answered ${status}; may the controller create tokenreviews?`);
    }
    return review.status;
  }

  #judge({ authenticated, audiences, error, user }: ReviewStatus, claimed: string): NodeProof {
    const { audience, serviceAccount } = this.#parts;
    if (authenticated !== true || audiences?.includes(audience) !== true) {
      return refuse(
        'node_token_unknown',
        `the API server does not know the token${error ? `: ${error}` : ''}`,
      );
    }
    const wanted = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
    if (user?.username !== wanted) {
      return refuse('node_not_authenticated', `the token is of ${user?.username}, not of ${wanted}`);
    }
    const [node, ...others] = user.extra?.[nodeClaim] ?? [];
    if (node === undefined || others.length > 0 || !isNodeName(node)) {
      return refuse(
        'node_not_authenticated',
        'the token names no node: is the cluster older than Kubernetes 1.30?',
      );
    }
    if (node !== claimed) {
      return refuse('node_not_authenticated', `the token is of a pod on ${node}, not on ${claimed}`);
    }
    return { ok: true, node };
  }
}
