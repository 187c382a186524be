/** Asks for the node's own certificate over gRPC. Loaded late: grpc-js is large, and traffic comes first. */
import type { ServiceError } from '@grpc/grpc-js';
import { loadIdentityService } from '../../../proto/load-identity-service.js';
import type { IssueNodeRequestMessage, ReceivedIssueResponse } from '../../../proto/messages.js';
import type { ControllerTls } from '../control/controller-access.js';
import { channelCredentials, channelOptions } from '../control/controller-channel.js';
import { explainFailure, issueTimeoutMs } from './explain-failure.js';
import { type Issued, readIssued } from './issue-failure.js';

/** One call on a connection of its own. Rejects with IssueFailure. */
export async function issueNode(
  address: string,
  tls: ControllerTls,
  request: IssueNodeRequestMessage,
): Promise<Issued> {
  const { Client } = loadIdentityService();
  const client = new Client(address, channelCredentials(tls), channelOptions);
  try {
    return await new Promise((resolve, reject) => {
      const deadline = Date.now() + issueTimeoutMs;
      client.issueNode(
        request,
        { deadline },
        (error: ServiceError | null, answer?: ReceivedIssueResponse) => {
          if (error !== null) reject(explainFailure(error));
          else resolve(readIssued(answer));
        },
      );
    });
  } finally {
    client.close();
  }
}
