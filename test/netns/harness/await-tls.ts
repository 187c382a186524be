/** When mutual TLS is in force. */
import { awaitEvent } from './await-event.js';
import type { Weft } from './weft.js';

interface ConfigResource {
  readonly kind: string;
  readonly body: { readonly name: string; readonly transport?: string; readonly capture?: object | null };
}

/** Every workload that its node captures is where TLS may be demanded of it. */
export async function awaitTls(weft: Weft): Promise<void> {
  await awaitEvent('every captured workload to speak TLS', 30_000, async () => {
    const { resources } = JSON.parse(await weft.admin('/config')) as { resources: ConfigResource[] };
    const captured = resources.filter(({ kind, body }) => kind === 'workload' && body.capture != null);
    return captured.length > 0 && captured.every(({ body }) => body.transport === 'weft-tls');
  });
}
