// npm akismet: plain HTTP, the key in the host name; whatever is not `true` counts as ham.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { converse } from './conversation.mjs'

const require = createRequire(join(process.env.NODE_PACKAGES, 'index.js'))
const { client: connect } = require('akismet')

await converse(async ({ do: what, key, blog, comment }) => {
  const client = connect({ apiKey: key, blog })
  const call = name => promisify(client[name].bind(client))
  switch (what) {
    case 'verify': return await call('verifyKey')() ? 'valid' : 'invalid'
    case 'check': return await call('checkComment')(comment) ? 'spam' : 'ham'
    // This client passes on no answer to a submission, only a failed connection.
    case 'submit-spam': return await call('submitSpam')(comment).then(() => 'thanks')
    case 'submit-ham': return await call('submitHam')(comment).then(() => 'thanks')
  }
  throw new Error(`no such task: ${what}`)
})
