// npm akismet-api with its options `host` and `protocol`; the key becomes the first label of that host.
import dns from 'node:dns'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { converse } from './conversation.mjs'

const require = createRequire(join(process.env.NODE_PACKAGES, 'index.js'))
const { AkismetClient } = require('akismet-api')

// KEY.spam.example has no address anywhere: Node's own look-up does what a wildcard DNS entry would do.
dns.lookup = (name, options, callback) =>
  options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

await converse(async ({ do: what, key, blog, comment }) => {
  const client = new AkismetClient({
    key, blog, host: process.env.SERVICE_HOST, protocol: process.env.SERVICE_PROTOCOL
  })
  switch (what) {
    case 'verify': return await client.verifyKey() ? 'valid' : 'invalid'
    case 'check': return await client.checkSpam(comment) ? 'spam' : 'ham'
    case 'submit-spam': return (await client.submitSpam(comment)).ok ? 'thanks' : 'error'
    case 'submit-ham': return (await client.submitHam(comment)).ok ? 'thanks' : 'error'
  }
  throw new Error(`no such task: ${what}`)
})
