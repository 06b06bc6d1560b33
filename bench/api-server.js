// A server that takes runs and emissions of the CodeCarbon API and prints its port; another process than the one that is timed.
import { createServer } from 'node:http'

const id = '45a737e1-3c9c-4cac-8e00-040c5e3538b3'
const server = createServer((request, response) => {
  let text = ''
  request.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  request.on('end', () => {
    JSON.parse(text)
    response.writeHead(201, { 'content-type': 'application/json' })
    response.end(JSON.stringify(request.url === '/runs' ? { id } : id))
  })
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : '')
})
