/**
 * Answers every request before it has read its content, and prints how much came: `METHOD URL BYTES whole`, or `cut` where
 * its end never came. usage: early-server.js http1|http2 PORT
 */
import http from 'node:http';
import http2 from 'node:http2';

const [protocol = '', port = ''] = process.argv.slice(2);

function answer(
  request: http.IncomingMessage | http2.Http2ServerRequest,
  response: http.ServerResponse | http2.Http2ServerResponse,
): void {
  response.end('early\n');
  let bytes = 0;
  const tell = (how: string) => console.log(request.method, request.url, bytes, how);
  request.on('data', (part: Buffer) => {
    bytes += part.length;
  });
  request.once('end', () => tell('whole'));
  request.once('aborted', () => tell('cut'));
}

const server = protocol === 'http2' ? http2.createServer(answer) : http.createServer(answer);
server.listen(Number(port));
