/** `weft why`: asks this machine's proxy, or in a cluster those of both ends. */
import { explainRequest } from '../cluster/explain-request.js';
import {
  namespaceOptions,
  type ProgramName,
  placeOptions,
  placeUsage,
  type Shown,
  shown,
  wantsJson,
  withScope,
} from '../open-scope.js';
import { parseOptions, text } from '../parse-options.js';
import { UsageError } from '../usage-error.js';
import { requireAnswers } from './require-answers.js';
import { formatWhy, isAllowed, type WhyAnswer } from './show-why.js';
import { writeQuestion } from './why-question.js';

export const whyUsage = (
  program: ProgramName,
) => `usage: ${program} why SOURCE DESTINATION [METHOD PATH] [options]

What would happen to a connection, or to a request, and which route, endpoint and policy decide; from the proxies' live
state: of the caller's node for routes and endpoints, of each endpoint's node for what it demands and allows.
  SOURCE          a pod as NAMESPACE/NAME or NAME, deploy/NAME (also ds, sts), an address;
                  without a cluster NAMESPACE/NAME, uid or address of a workload
  DESTINATION     a service as NAME.NAMESPACE:PORT or NAMESPACE/NAME:PORT, a pod as pod/NAME:PORT or NAMESPACE/NAME:PORT,
                  deploy/NAME:PORT, ADDRESS:PORT; a service's only port may be left out in a cluster
  --host HOST     the request's Host (default: DESTINATION)
  --header N=V    a header of the request, may be repeated
  -n, --namespace NAME  of names that have none (default: the context's)${placeUsage}
Exit codes: 0 some endpoint would get it, 1 it would be refused, 2 wrong usage.
`;

export async function showWhy(args: readonly string[], program: ProgramName): Promise<Shown> {
  const options = { ...placeOptions, namespace: namespaceOptions.namespace, host: text } as const;
  const { values, positionals } = parseOptions(
    args,
    { ...options, header: { type: 'string', multiple: true } },
    [2, 4],
  );
  const json = wantsJson(values);
  const [source = '', destination = '', method, path] = positionals;
  if (method !== undefined && path === undefined) throw new UsageError('METHOD needs a PATH');
  const headers = (values.header ?? []).map(readHeader);
  const asked = { source, destination, method, path, host: values.host, headers };
  const answer = await withScope(program, values, async (scope) => {
    if (scope.source.kind === 'cluster') {
      return explainRequest(scope.source, asked, scope.namespace ?? scope.source.cluster.namespace);
    }
    const query = writeQuestion(asked);
    type Answered = WhyAnswer | { readonly error: string };
    const { found } = requireAnswers(await scope.source.askProxies<Answered>(`/why?${query}`));
    return found[0] as Answered;
  });
  if ('error' in answer) throw new UsageError(answer.error);
  return shown(json, answer, () => formatWhy(answer), isAllowed(answer));
}

function readHeader(text: string): readonly [string, string] {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw new UsageError(`--header ${text}: NAME=VALUE is needed`);
  return [name.toLowerCase(), value ?? ''];
}
