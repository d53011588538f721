// Stands in front of a fake vendor and keeps the bodies that it was sent; passes everything on as it is.

import http from 'node:http';

export async function startRecorder(target) {
  const bodies = [];
  const server = http.createServer((request, answer) => {
    const pieces = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces);
      if (request.method === 'POST') bodies.push(body.toString());
      const { method, headers } = request;
      const asking = http.request(new URL(request.url, target), { method, headers }, (said) => {
        answer.writeHead(said.statusCode, said.headers);
        said.pipe(answer);
        // A vendor that breaks off is seen to break off.
        said.on('error', () => answer.destroy());
        said.on('aborted', () => answer.destroy());
      });
      asking.on('error', () => answer.destroy());
      answer.on('close', () => asking.destroy());
      asking.end(body);
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const stop = () => new Promise((done) => { server.close(done); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}`, last: () => bodies.at(-1) ?? '', bodies: () => bodies, count: () => bodies.length, stop };
}
