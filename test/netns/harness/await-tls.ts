/** When mutual TLS is in force. */
import { awaitEvent } from './await-event.js';
import type { Mesh } from './mesh.js';

interface ConfigResource {
  readonly kind: string;
  readonly body: { readonly name: string; readonly transport?: string; readonly captured?: boolean };
}

/** Every captured workload is where TLS may be demanded of it. */
export async function awaitTls(mesh: Mesh): Promise<void> {
  await awaitEvent('every captured workload to speak TLS', 30_000, async () => {
    const { resources } = JSON.parse(await mesh.weft.admin('/config')) as { resources: ConfigResource[] };
    const captured = resources.filter(({ kind, body }) => kind === 'workload' && body.captured === true);
    return captured.length > 0 && captured.every(({ body }) => body.transport === 'weft-tls');
  });
}
